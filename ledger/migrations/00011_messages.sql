-- Texts through X.

-- +goose Up

-- due_at is when a text is worked on next, 0 once it is done; while an office
-- holds it, the end of the lease. whole: it came whole, or has been put
-- together; until then due_at is when its parts are not waited for any more, and
-- part_open tells that further ones belong to it. ahead: later ones of its
-- sender to X wait for it.
CREATE TABLE messages (
    id        TEXT PRIMARY KEY,
    key       TEXT NOT NULL,
    source    TEXT NOT NULL,
    x         TEXT NOT NULL,
    sender    TEXT NOT NULL,
    body      TEXT NOT NULL,
    at        BIGINT NOT NULL,
    parts     INTEGER NOT NULL,
    part_ref  INTEGER NOT NULL,
    part_open BOOLEAN NOT NULL,
    whole     BOOLEAN NOT NULL,
    app       TEXT NOT NULL,
    sp        TEXT NOT NULL,
    taken     BOOLEAN NOT NULL,
    binding   TEXT NOT NULL,
    receiver  TEXT NOT NULL,
    direction INTEGER NOT NULL,
    area      TEXT NOT NULL,
    user_data TEXT NOT NULL,
    split     INTEGER NOT NULL,
    asked     BOOLEAN NOT NULL,
    reply     TEXT NOT NULL,
    carrier   TEXT NOT NULL,
    pieces    INTEGER NOT NULL,
    sent      INTEGER NOT NULL,
    tries     INTEGER NOT NULL,
    fails     INTEGER NOT NULL,
    due_at    BIGINT NOT NULL,
    ahead     BOOLEAN NOT NULL,
    result    INTEGER NOT NULL,
    refused   BOOLEAN NOT NULL,
    done_at   BIGINT NOT NULL,
    why       TEXT NOT NULL,
    failure   TEXT NOT NULL
);
CREATE UNIQUE INDEX messages_once ON messages (key) WHERE key <> '';
CREATE UNIQUE INDEX messages_open ON messages (x, sender, part_ref, parts) WHERE part_open;
CREATE INDEX messages_due ON messages (app, due_at) WHERE due_at > 0;
CREATE INDEX messages_waiting ON messages (x, sender, at) WHERE due_at > 0;
CREATE INDEX messages_not_done ON messages (at) WHERE due_at > 0;
CREATE INDEX messages_by_time ON messages (at);
CREATE INDEX messages_by_app ON messages (app, at);
CREATE INDEX messages_by_account ON messages (sp, at);
CREATE INDEX messages_by_x ON messages (x, at);
CREATE INDEX messages_by_sender ON messages (sender, at);
CREATE INDEX messages_by_receiver ON messages (receiver, at) WHERE receiver <> '';

-- The parts that texts came in. Their bodies are in the text once it is whole.
CREATE TABLE message_parts (
    message TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    key     TEXT NOT NULL,
    at      BIGINT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (message, seq)
);
CREATE UNIQUE INDEX message_parts_once ON message_parts (key);

-- What a network may send again under another key.
CREATE TABLE message_twins (
    twin    TEXT PRIMARY KEY,
    message TEXT NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX message_twins_old ON message_twins (at);
