-- AXYB: the AX part is a binding without B and Y; each relation is one with
-- both, stands on X and on Y, and has a version of each.

-- +goose Up
ALTER TABLE bindings ADD COLUMN y TEXT NOT NULL DEFAULT '';
ALTER TABLE bindings ADD COLUMN part_of TEXT NOT NULL DEFAULT '';
ALTER TABLE bindings ADD COLUMN y_version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX bindings_of_y ON bindings (y, id) WHERE ended_at = 0 AND y <> '';
CREATE INDEX parts_of ON bindings (part_of, id) WHERE part_of <> '';

-- What a number of an AXYB app is as long as it has bindings: the X of one A,
-- or the Y of relations; never both.
ALTER TABLE numbers ADD COLUMN role TEXT NOT NULL DEFAULT '' CHECK (
    (role = '' AND (mode <> 'AXYB' OR bindings = 0)) OR (role IN ('x', 'y') AND mode = 'AXYB' AND bindings > 0));

-- The caller ID of the second leg; empty: x, or there was none.
ALTER TABLE calls ADD COLUMN shown TEXT NOT NULL DEFAULT '';
