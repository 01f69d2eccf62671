-- One schema for SQLite and PostgreSQL. Instants are microseconds since 1970
-- UTC, 0 meaning none; texts that a row does not have are empty, not NULL.

-- +goose Up
CREATE TABLE marks (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL,
    why   TEXT NOT NULL DEFAULT '',
    at    BIGINT NOT NULL DEFAULT 0
);
INSERT INTO marks (name, value) VALUES ('epoch', 1), ('settings', 1);

CREATE TABLE accounts (
    sp         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    frozen     BOOLEAN NOT NULL,
    max_apps   INTEGER NOT NULL CHECK (max_apps >= 0),
    created_at BIGINT NOT NULL
);

CREATE TABLE apps (
    key              TEXT PRIMARY KEY,
    sp               TEXT NOT NULL REFERENCES accounts (sp),
    name             TEXT NOT NULL,
    mode             TEXT NOT NULL,
    secret           TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    paused           BOOLEAN NOT NULL,
    no_calls         BOOLEAN NOT NULL,
    ext_digits       INTEGER NOT NULL CHECK (ext_digits BETWEEN 0 AND 4),
    random_ext       BOOLEAN NOT NULL,
    retries          INTEGER NOT NULL CHECK (retries >= 0),
    recording        BOOLEAN NOT NULL,
    stereo           BOOLEAN NOT NULL,
    informs          BOOLEAN NOT NULL,
    keep_callee      BOOLEAN NOT NULL,
    no_foreign       BOOLEAN NOT NULL,
    quality_check    BOOLEAN NOT NULL,
    sms              BOOLEAN NOT NULL,
    sms_content      BOOLEAN NOT NULL,
    status_url       TEXT NOT NULL,
    callin_url       TEXT NOT NULL,
    fee_url          TEXT NOT NULL,
    sms_url          TEXT NOT NULL,
    sms_control_url  TEXT NOT NULL,
    number_url       TEXT NOT NULL,
    push_numbers     BOOLEAN NOT NULL,
    signing          TEXT NOT NULL,
    send_duration    BOOLEAN NOT NULL,
    send_released_by BOOLEAN NOT NULL,
    send_area_code   BOOLEAN NOT NULL,
    send_record_url  BOOLEAN NOT NULL,
    UNIQUE (key, mode)
);
CREATE INDEX apps_of_account ON apps (sp);

CREATE TABLE app_prompts (
    app     TEXT NOT NULL REFERENCES apps (key),
    scene   TEXT NOT NULL,
    file    TEXT NOT NULL,
    shipped BOOLEAN NOT NULL,
    PRIMARY KEY (app, scene)
);

CREATE TABLE prompts (
    app         TEXT NOT NULL REFERENCES apps (key),
    name        TEXT NOT NULL,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    bytes       BIGINT NOT NULL,
    millis      BIGINT NOT NULL,
    sha256      TEXT NOT NULL,
    uploaded_at BIGINT NOT NULL,
    reviewed_at BIGINT NOT NULL,
    PRIMARY KEY (app, name)
);

-- bindings counts those of bound that stand; room is how many fit. lowest: no
-- extension below it is free.
CREATE TABLE numbers (
    x           TEXT PRIMARY KEY,
    app         TEXT NOT NULL,
    mode        TEXT NOT NULL,
    status      TEXT NOT NULL,
    cause       TEXT NOT NULL,
    area        TEXT NOT NULL,
    city        TEXT NOT NULL,
    province    TEXT NOT NULL,
    carrier     TEXT NOT NULL,
    voice       BOOLEAN NOT NULL,
    sms         BOOLEAN NOT NULL,
    bindings    INTEGER NOT NULL,
    room        INTEGER NOT NULL,
    lowest      INTEGER NOT NULL,
    version     BIGINT NOT NULL,
    granted_at  BIGINT NOT NULL,
    released_at BIGINT NOT NULL,
    FOREIGN KEY (app, mode) REFERENCES apps (key, mode),
    CHECK (bindings >= 0 AND bindings <= room)
);
CREATE INDEX numbers_of_app ON numbers (app, x);
CREATE INDEX numbers_with_room ON numbers (app, area, x) WHERE status = 'normal' AND bindings < room;

CREATE TABLE bindings (
    id            TEXT PRIMARY KEY,
    app           TEXT NOT NULL,
    mode          TEXT NOT NULL,
    x             TEXT NOT NULL REFERENCES numbers (x),
    a             TEXT NOT NULL,
    b             TEXT NOT NULL,
    ext           TEXT NOT NULL,
    allowed       INTEGER NOT NULL,
    off           BOOLEAN NOT NULL,
    created_at    BIGINT NOT NULL,
    modified_at   BIGINT NOT NULL,
    until_at      BIGINT NOT NULL,
    record        BOOLEAN NOT NULL,
    record_hint   TEXT NOT NULL,
    caller_tone   TEXT NOT NULL,
    callee_tone   TEXT NOT NULL,
    max_minutes   INTEGER NOT NULL,
    last_minute   TEXT NOT NULL,
    no_sms        BOOLEAN NOT NULL,
    user_data     TEXT NOT NULL,
    area          TEXT NOT NULL,
    no_callback   TEXT NOT NULL,
    callback_num  TEXT NOT NULL,
    callback_for  BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    ended_at      BIGINT NOT NULL,
    ended_why     TEXT NOT NULL
);
CREATE INDEX bindings_of_x ON bindings (x, id) WHERE ended_at = 0;
CREATE INDEX bindings_of_a ON bindings (a, id) WHERE ended_at = 0 AND mode = 'AX';
CREATE INDEX bindings_expiring_of_x ON bindings (x, until_at) WHERE ended_at = 0 AND until_at > 0;
CREATE INDEX bindings_expiring ON bindings (until_at) WHERE ended_at = 0 AND until_at > 0;
CREATE INDEX bindings_ended ON bindings (ended_at) WHERE ended_at > 0;

-- A place on an X that only one binding can have: 'ax' (AX), a real number
-- (AXB both of the pair, AXE A), 'e:0001' (AXE the extension). Its primary key
-- has the last word on who is bound.
CREATE TABLE bound (
    x            TEXT NOT NULL,
    slot         TEXT NOT NULL,
    subscription TEXT NOT NULL,
    PRIMARY KEY (x, slot)
);

-- How many X an A has in an AX app.
CREATE TABLE shares (
    app TEXT NOT NULL,
    a   TEXT NOT NULL,
    n   INTEGER NOT NULL CHECK (n BETWEEN 1 AND 5),
    PRIMARY KEY (app, a)
);

CREATE TABLE temporaries (
    x         TEXT PRIMARY KEY REFERENCES numbers (x),
    callee    TEXT NOT NULL,
    until_at  BIGINT NOT NULL,
    user_data TEXT NOT NULL
);

CREATE TABLE callbacks (
    x        TEXT NOT NULL REFERENCES numbers (x),
    a        TEXT NOT NULL,
    caller   TEXT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (x, a)
);

CREATE TABLE blacklist (
    x      TEXT NOT NULL REFERENCES numbers (x),
    caller TEXT NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (x, caller)
);

-- The X whose last change the cache has not confirmed.
CREATE TABLE unsettled (
    x       TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    since   BIGINT NOT NULL
);
CREATE INDEX unsettled_since ON unsettled (since);

CREATE TABLE nodes (
    node     TEXT PRIMARY KEY,
    alive_at BIGINT NOT NULL,
    epoch    BIGINT NOT NULL
);

-- closed: the fee event stands. seq: the last event that the row knows of.
CREATE TABLE calls (
    session       TEXT PRIMARY KEY,
    icid          TEXT NOT NULL,
    node          TEXT NOT NULL,
    host          TEXT NOT NULL,
    app           TEXT NOT NULL,
    sp            TEXT NOT NULL,
    mode          TEXT NOT NULL,
    x             TEXT NOT NULL,
    caller        TEXT NOT NULL,
    area          TEXT NOT NULL,
    in_at         BIGINT NOT NULL,
    seq           INTEGER NOT NULL,
    closed        BOOLEAN NOT NULL,
    callee        TEXT NOT NULL,
    binding       TEXT NOT NULL,
    ext           TEXT NOT NULL,
    user_data     TEXT NOT NULL,
    direction     INTEGER NOT NULL,
    out_at        BIGINT NOT NULL,
    alerting_at   BIGINT NOT NULL,
    answered_at   BIGINT NOT NULL,
    ended_at      BIGINT NOT NULL,
    recording_at  BIGINT NOT NULL,
    state_code    INTEGER NOT NULL,
    fail_reason   INTEGER NOT NULL,
    unsw_reason   INTEGER NOT NULL,
    sip_status    INTEGER NOT NULL,
    released_by   INTEGER NOT NULL,
    end_word      TEXT NOT NULL,
    record_wanted BOOLEAN NOT NULL,
    record_file   TEXT NOT NULL,
    record_bytes  BIGINT NOT NULL,
    quality       TEXT NOT NULL
);
CREATE INDEX calls_open ON calls (node) WHERE NOT closed;
CREATE INDEX calls_by_time ON calls (in_at);
CREATE INDEX calls_by_app ON calls (app, in_at);
CREATE INDEX calls_by_x ON calls (x, in_at);
CREATE INDEX calls_by_caller ON calls (caller, in_at);
CREATE INDEX calls_by_callee ON calls (callee, in_at) WHERE callee <> '';

-- The event log and the outbox in one. due_at is when it is to be pushed next,
-- 0 once there is nothing more to do; while a pusher holds it, the end of the
-- lease. first_at is when the first attempt began.
CREATE TABLE events (
    session  TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    app      TEXT NOT NULL,
    kind     TEXT NOT NULL,
    at       BIGINT NOT NULL,
    body     TEXT NOT NULL,
    target   TEXT NOT NULL,
    due_at   BIGINT NOT NULL,
    tries    INTEGER NOT NULL,
    first_at BIGINT NOT NULL,
    done_at  BIGINT NOT NULL,
    failure  TEXT NOT NULL,
    PRIMARY KEY (session, seq)
);
CREATE UNIQUE INDEX events_once ON events (session, kind) WHERE kind IN ('disconnect', 'fee');
CREATE INDEX events_due ON events (app, target, due_at) WHERE due_at > 0;
CREATE INDEX events_by_time ON events (at);
