CREATE TABLE spendings (
    sweep TEXT NOT NULL,
    cell TEXT NOT NULL,
    calls BIGINT NOT NULL,
    work BIGINT NOT NULL,
    prefill BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    PRIMARY KEY (sweep, cell)
);

CREATE INDEX spendings_of_cells ON spendings (cell);

INSERT INTO spendings (sweep, cell, calls, work, prefill, cost)
SELECT paid_by, id, spent_calls, spent_work, spent_prefill, spent_cost FROM cells;

DROP INDEX cells_by_payer;

ALTER TABLE cells DROP COLUMN paid_by;
