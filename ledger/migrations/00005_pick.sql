-- X with room, in the order of their lots (pick.go has the same expression):
-- those of an app, of an area of it and of a province of it.

-- +goose Up
DROP INDEX numbers_with_room;
DROP INDEX IF EXISTS numbers_by_role;
CREATE INDEX numbers_open ON numbers (app, role, (CAST(substr(x, length(x) - 8) AS BIGINT) * 1327217885 % 2147483647))
    WHERE status = 'normal' AND bindings < room;
CREATE INDEX numbers_open_in_area ON numbers (app, role, area, (CAST(substr(x, length(x) - 8) AS BIGINT) * 1327217885 % 2147483647))
    WHERE status = 'normal' AND bindings < room;
CREATE INDEX numbers_open_in_province ON numbers (app, role, province, (CAST(substr(x, length(x) - 8) AS BIGINT) * 1327217885 % 2147483647))
    WHERE status = 'normal' AND bindings < room;
