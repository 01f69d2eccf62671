-- How long what is of the past is kept, and jobs that one node at a time does.

-- +goose Up
-- Days; 0: as the nodes are set.
ALTER TABLE apps ADD COLUMN recordings_days INTEGER NOT NULL DEFAULT 0 CHECK (recordings_days >= 0);
ALTER TABLE apps ADD COLUMN lists_days INTEGER NOT NULL DEFAULT 0 CHECK (lists_days >= 0);

-- A job is done by its holder until lease_until, and due again at due_at.
CREATE TABLE jobs (
    name        TEXT PRIMARY KEY,
    holder      TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    done_at     BIGINT NOT NULL,
    done_by     TEXT NOT NULL,
    result      TEXT NOT NULL
);

-- When the time of a fee event's recording began to run, if the event was
-- pushed once more after that.
ALTER TABLE events ADD COLUMN kept_at BIGINT NOT NULL DEFAULT 0;

-- gone: the recording was deleted.
ALTER TABLE calls ADD COLUMN record_gone_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX calls_recorded ON calls (app, ended_at) WHERE record_file <> '' AND record_gone_at = 0 AND closed;

DROP INDEX bindings_ended;
CREATE INDEX bindings_ended_of_app ON bindings (app, ended_at) WHERE ended_at > 0;
