-- KEYS: busy
-- ARGV: place (empty: any that the session has), session, with any: one that it keeps
local function free(place, v)
  if v and string.match(v, '^%S+') == ARGV[2] then redis.call('HDEL', KEYS[1], place) end
end
if ARGV[1] ~= '' then
  free(ARGV[1], redis.call('HGET', KEYS[1], ARGV[1]))
  return 1
end
for place, v in pairs((fields(KEYS[1]))) do
  if place ~= ARGV[3] then free(place, v) end
end
return 1
