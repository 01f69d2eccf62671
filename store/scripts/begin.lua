-- Opens a load of what was read from the ledger at a version. X counts as
-- missing until the load is complete.
-- KEYS: number
-- ARGV: version, ticket
local number = fields(KEYS[1])
if number.version and tonumber(number.version) > tonumber(ARGV[1]) then return 0 end
unload(KEYS[1], number, ARGV[1])
redis.call('HSET', KEYS[1], 'ticket', ARGV[2])
return 1
