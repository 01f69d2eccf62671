-- What one owner has of the use of an account or X; it replaces what the owner
-- told before. Shares of others count by themselves: calls for a lease,
-- calls begun if they are of the same minute, talk if it is of the same day.
-- KEYS: use
-- ARGV: owner, calls, minute, begun in it, day, talk of it in ms, lease in ms, how long to keep all of it in ms
-- Returns calls, begun and talk of all others.
local owner, calls, minute, begun, day, talk, lease, keep = unpack(ARGV)
local ms = clock()
local now = instant(ms)
local sum = {0, 0, 0}
for who, v in pairs((fields(KEYS[1]))) do
  local c, m, b, d, t, expires = string.match(v, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
  if c and who ~= owner then
    if expires > now then sum[1] = sum[1] + tonumber(c) end
    if m == minute then sum[2] = sum[2] + tonumber(b) end
    if d == day then sum[3] = sum[3] + tonumber(t) end
    if expires <= now and tonumber(m) < tonumber(minute) and tonumber(d) < tonumber(day) then redis.call('HDEL', KEYS[1], who) end
  end
end
redis.call('HSET', KEYS[1], owner, table.concat({calls, minute, begun, day, talk, instant(ms + tonumber(lease))}, ' '))
redis.call('PEXPIRE', KEYS[1], keep)
return sum
