CREATE TABLE trajectory_turns (
    id TEXT PRIMARY KEY,
    turns BIGINT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    is_found BIGINT NOT NULL
);

CREATE INDEX trajectory_turns_by_time ON trajectory_turns (is_found, at);

INSERT INTO trajectory_turns (id, turns, at, is_found)
SELECT trajectory, COUNT(*), MAX(at),
    COALESCE((SELECT is_found FROM keys WHERE keys.id = requests.trajectory), 0)
FROM requests WHERE trajectory <> '' GROUP BY trajectory;

CREATE TABLE trajectory_spendings (
    id TEXT NOT NULL,
    quantity TEXT NOT NULL,
    spent BIGINT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (id, quantity)
);

CREATE INDEX trajectory_spendings_by_time ON trajectory_spendings (at);

CREATE TABLE request_totals (
    key TEXT NOT NULL,
    quantity TEXT NOT NULL,
    large BIGINT NOT NULL,
    small BIGINT NOT NULL,
    PRIMARY KEY (key, quantity)
);

CREATE TABLE file_parts (
    file TEXT NOT NULL REFERENCES files (id),
    place BIGINT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (file, place)
);

INSERT INTO file_parts (file, place, content) SELECT file, 0, content FROM file_contents;

DROP TABLE file_contents;

ALTER TABLE files ADD COLUMN is_whole BIGINT NOT NULL DEFAULT 1;
