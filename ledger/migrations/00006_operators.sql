-- Who may use the management API, and what they did with it. A token is known
-- by its hash alone.

-- +goose Up
CREATE TABLE operators (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL,
    sp         TEXT NOT NULL,
    unmasked   BOOLEAN NOT NULL,
    hash       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);

-- One row per change that was tried: written before it, completed after it.
-- status 0: nobody knows how it went. seq has no gaps.
CREATE TABLE audit (
    seq       BIGINT PRIMARY KEY,
    at        BIGINT NOT NULL,
    done_at   BIGINT NOT NULL,
    operator  TEXT NOT NULL,
    name      TEXT NOT NULL,
    role      TEXT NOT NULL,
    source    TEXT NOT NULL,
    operation TEXT NOT NULL,
    sp        TEXT NOT NULL,
    target    TEXT NOT NULL,
    detail    TEXT NOT NULL,
    status    INTEGER NOT NULL,
    code      TEXT NOT NULL
);
CREATE INDEX audit_of_operator ON audit (operator, seq);
CREATE INDEX audit_of_account ON audit (sp, seq);
INSERT INTO marks (name, value) VALUES ('audit', 0);

-- Why a call went the way it went, real numbers masked.
ALTER TABLE calls ADD COLUMN why TEXT NOT NULL DEFAULT '';

-- What one account, or one app, asks for must not read past everybody's rows.
CREATE INDEX calls_by_account ON calls (sp, in_at);
CREATE INDEX events_by_app ON events (app, at);
