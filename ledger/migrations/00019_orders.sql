-- Which life holds an event that is being pushed, so that its heir need not wait for
-- the lease; and orders to the node that has a call, from another one.

-- +goose Up
ALTER TABLE events ADD COLUMN holder TEXT NOT NULL DEFAULT '';

CREATE TABLE call_orders (
    session     TEXT PRIMARY KEY,
    node        TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    outcome     TEXT NOT NULL
);
CREATE INDEX call_orders_open ON call_orders (node) WHERE outcome = '';
