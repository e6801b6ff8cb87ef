CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    models TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    revoked BIGINT
);

CREATE TABLE limits (
    key TEXT NOT NULL REFERENCES keys (id),
    quantity TEXT NOT NULL,
    period TEXT NOT NULL,
    most BIGINT NOT NULL CHECK (most >= 0),
    PRIMARY KEY (key, quantity, period)
);

CREATE TABLE windows (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    quantity TEXT NOT NULL,
    period TEXT NOT NULL,
    began BIGINT NOT NULL,
    spent BIGINT NOT NULL DEFAULT 0,
    leased BIGINT NOT NULL DEFAULT 0 CHECK (leased >= 0),
    wanted_until DOUBLE PRECISION NOT NULL DEFAULT 0,
    FOREIGN KEY (key, quantity, period) REFERENCES limits (key, quantity, period)
);

CREATE INDEX windows_of_keys ON windows (key, began);

CREATE INDEX windows_by_time ON windows (period, began);

CREATE TABLE workers (
    id TEXT PRIMARY KEY,
    beat DOUBLE PRECISION NOT NULL,
    batch BIGINT NOT NULL DEFAULT 0,
    is_lost BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE leases (
    worker TEXT NOT NULL REFERENCES workers (id),
    window_id TEXT NOT NULL REFERENCES windows (id),
    granted BIGINT NOT NULL CHECK (granted >= 0),
    PRIMARY KEY (worker, window_id)
);

CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    at DOUBLE PRECISION NOT NULL,
    key TEXT NOT NULL,
    route TEXT NOT NULL,
    model TEXT NOT NULL,
    strategy TEXT NOT NULL,
    status BIGINT NOT NULL,
    work BIGINT NOT NULL,
    span BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    prefill BIGINT NOT NULL,
    cached BIGINT NOT NULL,
    cost BIGINT,
    source TEXT NOT NULL,
    overhead_ms DOUBLE PRECISION NOT NULL,
    seconds DOUBLE PRECISION NOT NULL
);

CREATE INDEX requests_of_keys ON requests (key, at);

CREATE INDEX requests_by_time ON requests (at);
