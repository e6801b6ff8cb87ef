ALTER TABLE keys ADD COLUMN parent TEXT;

CREATE INDEX keys_of_parents ON keys (parent, created);

ALTER TABLE requests ADD COLUMN trajectory TEXT NOT NULL DEFAULT '';

CREATE INDEX requests_of_trajectories ON requests (trajectory, at);

CREATE TABLE prefixes (
    id TEXT PRIMARY KEY,
    trajectory TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL
);

CREATE INDEX prefixes_by_time ON prefixes (at);
