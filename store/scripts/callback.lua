-- Whom A's phone rang for last. Records are ordered by their own instant; one
-- counts only for the binding that it names.
-- KEYS: number, callback record
-- ARGV: at, expiry in ms since 1970 or nothing, field names and values
local number = fields(KEYS[1])
if not number.load or number.term ~= term or number.none then
  if next(number) then unload(KEYS[1], number, '0') end
  return 0
end
local e = fields(KEYS[2])
if live(e, number) and e.at and e.at > ARGV[1] then return 1 end
write(KEYS[2], ARGV[2], 3, #ARGV - 2, 'at', ARGV[1], 'load', number.load)
return 1
