-- Recordings that are in a store outside the nodes, and its objects that are
-- still to be deleted.

-- +goose Up
ALTER TABLE calls ADD COLUMN record_place TEXT NOT NULL DEFAULT '';
CREATE INDEX calls_stored_gone ON calls (record_gone_at) WHERE record_gone_at > 0 AND record_place <> '';
