-- The trunk of each leg of a call, by its name; phone: a registered phone.

-- +goose Up
ALTER TABLE calls ADD COLUMN caller_trunk TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN callee_trunk TEXT NOT NULL DEFAULT '';
