CREATE TABLE verdicts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    idea TEXT NOT NULL,
    claim TEXT NOT NULL,
    source TEXT NOT NULL,
    statistic TEXT NOT NULL,
    line DOUBLE PRECISION,
    verdict TEXT NOT NULL,
    found DOUBLE PRECISION,
    low DOUBLE PRECISION,
    high DOUBLE PRECISION,
    problems BIGINT NOT NULL,
    budget TEXT NOT NULL,
    model TEXT NOT NULL,
    kind TEXT NOT NULL,
    command TEXT NOT NULL,
    measured DOUBLE PRECISION,
    machine TEXT NOT NULL,
    why TEXT NOT NULL
);

CREATE TABLE verdict_parts (
    verdict TEXT NOT NULL REFERENCES verdicts (id),
    place BIGINT NOT NULL,
    what TEXT NOT NULL,
    found DOUBLE PRECISION NOT NULL,
    low DOUBLE PRECISION NOT NULL,
    high DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (verdict, place)
);
