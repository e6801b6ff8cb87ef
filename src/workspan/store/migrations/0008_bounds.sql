ALTER TABLE keys ADD COLUMN is_found BIGINT NOT NULL DEFAULT 0;

CREATE INDEX batch_lines_by_status ON batch_lines (batch, status);
