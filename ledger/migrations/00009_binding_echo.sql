-- What queries show of a binding as it was sent. Bindings from before these
-- columns show 0 for the lifetimes that they were made with.

-- +goose Up
ALTER TABLE bindings ADD COLUMN sent_direction BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE bindings ADD COLUMN sent_type TEXT NOT NULL DEFAULT '';
ALTER TABLE bindings ADD COLUMN sent_unit TEXT NOT NULL DEFAULT '';
ALTER TABLE bindings ADD COLUMN sent_lasts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bindings ADD COLUMN sent_callback INTEGER NOT NULL DEFAULT 0;
