-- The next call has X loaded anew.
-- KEYS: number
local number = fields(KEYS[1])
if next(number) then unload(KEYS[1], number, '0') end
return 1
