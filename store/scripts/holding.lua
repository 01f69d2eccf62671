-- What is kept of an X, without asking for it: no ticket is given out.
-- KEYS: number
-- ARGV: epoch, now
-- Returns whether it is loaded, and its version.
local number = fields(KEYS[1])
if not loaded(number, ARGV[1], ARGV[2]) or number.none then return {0, '0'} end
return {1, number.version or '0'}
