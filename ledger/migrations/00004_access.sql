-- +goose Up
-- What an app's API requests are held to. rate: requests per minute, 0 the
-- usual one, negative none. networks: where they may come from, with blanks
-- between; empty: from anywhere.
ALTER TABLE apps ADD COLUMN rate INTEGER NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN networks TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN once_nonce BOOLEAN NOT NULL DEFAULT FALSE;

-- Secrets that the nodes of a system make once and share.
CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at    BIGINT NOT NULL
);

-- Recordings are fetched by name, from the node in whose directory they are.
CREATE INDEX calls_by_recording ON calls (record_file) WHERE record_file <> '';
CREATE TABLE bases (
    node TEXT PRIMARY KEY,
    base TEXT NOT NULL
);
