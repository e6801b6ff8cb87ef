ALTER TABLE keys ADD COLUMN is_found BIGINT NOT NULL DEFAULT 0;

ALTER TABLE batches ADD COLUMN answered BIGINT;

ALTER TABLE batches ADD COLUMN refused BIGINT;

CREATE INDEX batch_lines_by_status ON batch_lines (batch, status);
