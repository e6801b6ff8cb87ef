CREATE TABLE shadow_facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE shadowed (
    id TEXT PRIMARY KEY,
    at DOUBLE PRECISION NOT NULL,
    route TEXT NOT NULL,
    model TEXT NOT NULL,
    kind TEXT NOT NULL,
    problem TEXT NOT NULL,
    question TEXT
);

CREATE INDEX shadowed_by_time ON shadowed (at);

CREATE TABLE shadow_answers (
    shadowed TEXT NOT NULL REFERENCES shadowed (id),
    number BIGINT NOT NULL,
    text TEXT,
    score DOUBLE PRECISION,
    PRIMARY KEY (shadowed, number)
);

CREATE TABLE shadow_arms (
    shadowed TEXT NOT NULL REFERENCES shadowed (id),
    strategy TEXT NOT NULL,
    is_now BIGINT NOT NULL,
    answer BIGINT,
    agreement DOUBLE PRECISION,
    stop TEXT NOT NULL,
    work BIGINT NOT NULL,
    span BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    prefill BIGINT NOT NULL,
    cost BIGINT,
    seconds DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (shadowed, is_now, strategy)
);

CREATE TABLE shadow_labels (
    shadowed TEXT NOT NULL,
    number BIGINT NOT NULL,
    labeller TEXT NOT NULL,
    verdict TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (shadowed, number, labeller),
    FOREIGN KEY (shadowed, number) REFERENCES shadow_answers (shadowed, number)
);
