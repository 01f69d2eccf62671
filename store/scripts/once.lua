-- Notes a nonce until its end. Returns whether it was not noted before.
-- KEYS: nonce
-- ARGV: how long it counts, in ms
local ms, span = clock(), tonumber(ARGV[1])
local ends = redis.call('GET', KEYS[1])
if ends and ends > instant(ms) then return 0 end
redis.call('SET', KEYS[1], instant(ms + span), 'PX', 2 * span)
return 1
