-- Adds to a count that begins anew once its span is over. One that reaches its
-- limit stands for a whole span from then on.
-- KEYS: count
-- ARGV: what to add, span in ms, limit (0: none)
-- Returns the count, and the instant at which it begins anew.
local add, span, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local ms = clock()
local e = fields(KEYS[1])
local count, ends = tonumber(e.count or '0'), e['until']
if not ends or ends <= instant(ms) then
  count, ends = 0, instant(ms + span)
end
if add == 0 or limit > 0 and count >= limit then return {count, ends} end
count = count + add
if limit > 0 and count >= limit then ends = instant(ms + span) end
redis.call('HSET', KEYS[1], 'count', count, 'until', ends)
redis.call('PEXPIRE', KEYS[1], 2 * span)
return {count, ends}
