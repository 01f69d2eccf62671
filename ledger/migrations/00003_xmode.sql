-- +goose Up
-- X mode: whom callers reach if the app's server does not say, and for how
-- long it is waited for, in microseconds; 0: as the node is set.
ALTER TABLE apps ADD COLUMN fallback TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN answer_in BIGINT NOT NULL DEFAULT 0 CHECK (answer_in >= 0);
