-- Texts through X: whether an account has them, and the words that texts of an
-- app have to have, or must not have, a line each.

-- +goose Up
ALTER TABLE accounts ADD COLUMN sms BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE apps ADD COLUMN sms_keywords TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN sms_forbidden TEXT NOT NULL DEFAULT '';

-- Texts did not work before, and could be on where they can never.
UPDATE apps SET sms = FALSE WHERE mode IN ('AXE', 'AXYB') OR mode <> 'AXB' AND sms_control_url = '';

-- What a task of kind sms switches its numbers to.
ALTER TABLE number_tasks ADD COLUMN sms BOOLEAN NOT NULL DEFAULT FALSE;

-- A cache from before does not know which numbers take texts.
UPDATE marks SET value = value + 1, why = 'numbers are cached with whether they take texts' WHERE name = 'epoch' AND EXISTS (SELECT 1 FROM numbers);
