-- Why a side hung up by its own words, as Q.850 cause and SIP status, and the
-- charging id of the caller's network.

-- +goose Up
ALTER TABLE calls ADD COLUMN release_cause INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN release_status INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN charging_id TEXT NOT NULL DEFAULT '';
