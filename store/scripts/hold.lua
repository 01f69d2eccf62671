-- Reserves a place of X for a session, or prolongs its lease. Returns whether
-- somebody else has it, and whether the session has it now.
-- KEYS: busy
-- ARGV: place, session, node, lease in ms
local busy, held = reserve(KEYS[1], ARGV[1], true, ARGV[2], ARGV[3], tonumber(ARGV[4]))
return {busy, held}
