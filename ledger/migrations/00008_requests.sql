-- Changes that clients named by an id of their own. A row is written with the
-- change itself, so that a repetition finds it exactly if the change stands.

-- +goose Up
CREATE TABLE requests (
    app          TEXT NOT NULL,
    id           TEXT NOT NULL,
    operation    TEXT NOT NULL,
    digest       TEXT NOT NULL,
    subscription TEXT NOT NULL,
    x            TEXT NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (app, id)
);
CREATE INDEX requests_by_time ON requests (at);
