-- The Redis servers that were met as masters, by the terms in which they are that.
-- A believed one is where nodes look for bindings; a fenced one will be once all
-- nodes have heard of mark; a dropped one has lost its place to another.

-- +goose Up
CREATE TABLE cache_servers (
    term  TEXT PRIMARY KEY,
    home  TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('fenced', 'believed', 'dropped')),
    mark  BIGINT NOT NULL,
    since BIGINT NOT NULL
);
CREATE INDEX cache_servers_state ON cache_servers (state);
INSERT INTO marks (name, value) VALUES ('servers', 1);
