CREATE TABLE files (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    purpose TEXT NOT NULL,
    batch TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    bytes BIGINT NOT NULL
);

CREATE INDEX files_of_keys ON files (key, created);

CREATE TABLE file_contents (
    file TEXT PRIMARY KEY REFERENCES files (id),
    content TEXT NOT NULL
);

CREATE TABLE batches (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    input_file TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    completion_window TEXT NOT NULL,
    metadata TEXT NOT NULL,
    status TEXT NOT NULL,
    errors TEXT NOT NULL,
    total BIGINT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    cancelling BIGINT,
    ended BIGINT,
    output_file TEXT,
    error_file TEXT,
    worker TEXT NOT NULL,
    beat DOUBLE PRECISION NOT NULL
);

CREATE INDEX batches_of_keys ON batches (key, created);

CREATE INDEX batches_by_status ON batches (status, created);

CREATE TABLE batch_lines (
    batch TEXT NOT NULL REFERENCES batches (id),
    place BIGINT NOT NULL,
    custom_id TEXT NOT NULL,
    body TEXT NOT NULL,
    tries BIGINT NOT NULL,
    request TEXT NOT NULL,
    status BIGINT,
    reply TEXT NOT NULL,
    PRIMARY KEY (batch, place)
);
