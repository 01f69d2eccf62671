-- A part of a load: entries that nobody sees before it is complete.
-- KEYS: number, entries
-- ARGV: ticket, then for each entry: expiry in ms since 1970 or nothing, count, field names and values
if not awaited(KEYS[1], ARGV[1]) then return 0 end
local at = 2
for i = 2, #KEYS do
  local count = tonumber(ARGV[at + 1])
  write(KEYS[i], ARGV[at], at + 2, count)
  at = at + 2 + count
end
return 1
