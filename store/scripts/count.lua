-- Adds to a count, see tally.
-- KEYS: count
-- ARGV: what to add, span in ms, limit (0: none)
-- Returns the count, and the instant at which it begins anew.
local count, ends = tally(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))
return {count, ends}
