-- Several nodes on one ledger: each start of a node is a life of its own, and
-- whoever has a call is a life. One that others declare dead has an heir, who
-- settles what it left: its calls are taken over or closed.

-- +goose Up
ALTER TABLE nodes ADD COLUMN incarnation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN state TEXT NOT NULL DEFAULT 'up';
ALTER TABLE nodes ADD COLUMN home TEXT NOT NULL DEFAULT '';
ALTER TABLE nodes ADD COLUMN addresses TEXT NOT NULL DEFAULT '';
ALTER TABLE nodes ADD COLUMN began_at BIGINT NOT NULL DEFAULT 0;

CREATE TABLE node_lives (
    node             TEXT NOT NULL,
    incarnation      BIGINT NOT NULL,
    ended_at         BIGINT NOT NULL,
    heard_at         BIGINT NOT NULL,
    alive_at         BIGINT NOT NULL,
    heir             TEXT NOT NULL,
    heir_incarnation BIGINT NOT NULL,
    settled_at       BIGINT NOT NULL,
    PRIMARY KEY (node, incarnation)
);
CREATE INDEX node_lives_unsettled ON node_lives (ended_at) WHERE ended_at > 0 AND settled_at = 0;

-- Who has a call: the life of node that it is of.
ALTER TABLE calls ADD COLUMN incarnation BIGINT NOT NULL DEFAULT 0;
