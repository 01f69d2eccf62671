-- Completes a load, unless X was changed since the ticket was given out.
-- KEYS: number, blacklist
-- ARGV: ticket, expiry in ms since 1970 or nothing, count, that many field names and values of the number, blacklisted numbers
if not awaited(KEYS[1], ARGV[1]) then return 0 end
local count = tonumber(ARGV[3])
write(KEYS[1], ARGV[2], 4, count, 'term', term)
redis.call('DEL', KEYS[2])
for i = 4 + count, #ARGV, 1000 do
  redis.call('SADD', KEYS[2], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
return 1
