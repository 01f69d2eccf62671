-- Work on many X numbers at once. A task is worked on by its holder until
-- lease_until, then by whoever takes it; runs counts how often it was submitted.

-- +goose Up
CREATE TABLE number_tasks (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    app         TEXT NOT NULL,
    from_app    TEXT NOT NULL,
    status      TEXT NOT NULL,
    cause       TEXT NOT NULL,
    state       TEXT NOT NULL,
    by_whom     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL,
    total       INTEGER NOT NULL,
    done        INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    runs        INTEGER NOT NULL,
    holder      TEXT NOT NULL,
    lease_until BIGINT NOT NULL
);
CREATE INDEX number_tasks_due ON number_tasks (created_at) WHERE state <> 'ended';
CREATE INDEX number_tasks_ended ON number_tasks (ended_at) WHERE state = 'ended';

-- A number of a task; n is its line, from 1 on. state: waiting, stored (the
-- ledger has the change, the cache was not told yet), done or failed.
CREATE TABLE number_task_items (
    task   TEXT NOT NULL REFERENCES number_tasks (id),
    n      INTEGER NOT NULL,
    x      TEXT NOT NULL,
    detail TEXT NOT NULL,
    state  TEXT NOT NULL,
    code   TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (task, n)
);
CREATE INDEX number_task_items_by_state ON number_task_items (task, state, n);

CREATE INDEX numbers_by_area ON numbers (area, x);
