CREATE TABLE sweeps (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    began DOUBLE PRECISION NOT NULL,
    ended DOUBLE PRECISION,
    total TEXT NOT NULL
);

CREATE TABLE cells (
    id TEXT PRIMARY KEY,
    engine TEXT NOT NULL,
    identity TEXT NOT NULL,
    model TEXT NOT NULL,
    task TEXT NOT NULL,
    problems_digest TEXT NOT NULL,
    strategy TEXT NOT NULL,
    budget TEXT NOT NULL,
    effort TEXT NOT NULL,
    seed BIGINT NOT NULL,
    status TEXT NOT NULL,
    error TEXT NOT NULL,
    draws TEXT NOT NULL,
    paid_by TEXT NOT NULL,
    problems BIGINT NOT NULL,
    graded BIGINT NOT NULL,
    accuracy DOUBLE PRECISION,
    low DOUBLE PRECISION NOT NULL,
    high DOUBLE PRECISION NOT NULL,
    work DOUBLE PRECISION NOT NULL,
    span DOUBLE PRECISION NOT NULL,
    prefill DOUBLE PRECISION NOT NULL,
    calls DOUBLE PRECISION NOT NULL,
    cost DOUBLE PRECISION,
    random DOUBLE PRECISION,
    coverage DOUBLE PRECISION,
    effective_n DOUBLE PRECISION,
    spent_calls BIGINT NOT NULL,
    spent_work BIGINT NOT NULL,
    spent_prefill BIGINT NOT NULL,
    spent_cost BIGINT NOT NULL,
    lost_work BIGINT NOT NULL
);

CREATE INDEX cells_by_payer ON cells (paid_by);

CREATE TABLE sweep_cells (
    sweep TEXT NOT NULL REFERENCES sweeps (id),
    place BIGINT NOT NULL,
    cell TEXT NOT NULL,
    engine TEXT NOT NULL,
    task TEXT NOT NULL,
    PRIMARY KEY (sweep, place)
);

CREATE INDEX sweeps_of_cells ON sweep_cells (cell);

CREATE TABLE trials (
    cell TEXT NOT NULL REFERENCES cells (id),
    place BIGINT NOT NULL,
    problem TEXT NOT NULL,
    correct DOUBLE PRECISION,
    answer TEXT,
    error TEXT NOT NULL,
    stop TEXT NOT NULL,
    work BIGINT NOT NULL,
    span BIGINT NOT NULL,
    prefill BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    cost BIGINT,
    charged BIGINT NOT NULL,
    random DOUBLE PRECISION,
    coverage DOUBLE PRECISION,
    effective_n DOUBLE PRECISION,
    is_shared BIGINT NOT NULL,
    lost_calls BIGINT NOT NULL,
    lost_work BIGINT NOT NULL,
    lost_prefill BIGINT NOT NULL,
    lost_cost BIGINT NOT NULL,
    PRIMARY KEY (cell, place)
);
