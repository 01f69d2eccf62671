-- One change in the ledger, brought to the cache: the number's new state, and
-- entries that are put or dropped. An older change never replaces a newer one.
-- KEYS: number, entries
-- ARGV: version, app, mode, status, area, bindings, sms, then for each entry:
--   put or drop, expiry in ms since 1970 or nothing, count, that many field names and values
local version = tonumber(ARGV[1])
local number = fields(KEYS[1])
if not number.load or number.term ~= term or number.none or number.app ~= ARGV[2] or number.mode ~= ARGV[3] then
  unload(KEYS[1], number, ARGV[1])
  return 0
end
local stands = tonumber(number.version)
local function store(key, at)
  write(key, ARGV[at + 1], at + 3, tonumber(ARGV[at + 2]), 'version', ARGV[1], 'load', number.load)
end
local at = 8
for i = 2, #KEYS do
  local put, count = ARGV[at] == 'put', tonumber(ARGV[at + 2])
  local e = fields(KEYS[i])
  local own = e.load == number.load and tonumber(e.version)
  if own then
    if version > own or (version == own and put) then store(KEYS[i], at) end
  elseif version >= stands then
    store(KEYS[i], at)
  elseif put then
    -- Either its change came here out of turn, or a later one removed what it
    -- would bring back: the ledger knows.
    unload(KEYS[1], number, ARGV[1])
    return 0
  end
  at = at + 3 + count
end
if version >= stands then
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'status', ARGV[4], 'area', ARGV[5], 'bindings', ARGV[6])
  if ARGV[7] == '1' then redis.call('HSET', KEYS[1], 'sms', '1') else redis.call('HDEL', KEYS[1], 'sms') end
end
return 1
