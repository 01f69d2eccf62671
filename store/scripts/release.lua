-- KEYS: busy
-- ARGV: place, session
local v = redis.call('HGET', KEYS[1], ARGV[1])
if v and string.match(v, '^%S+') == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
return 1
