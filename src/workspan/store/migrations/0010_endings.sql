CREATE TABLE endings (
    id TEXT NOT NULL,
    trajectory TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    taken BIGINT NOT NULL,
    PRIMARY KEY (id, trajectory)
);

INSERT INTO endings (id, trajectory, at, taken) SELECT id, trajectory, at, 0 FROM prefixes;

CREATE INDEX endings_by_time ON endings (at);

DROP TABLE prefixes;
