-- When a node was heard of last, by the ledger's own clock: those of nodes may be off.

-- +goose Up
ALTER TABLE nodes ADD COLUMN heard_at BIGINT NOT NULL DEFAULT 0;
