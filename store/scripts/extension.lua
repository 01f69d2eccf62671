-- Everything about an extension that a caller typed, and its busy mark if the
-- call may be put through. A wrong one is counted; whoever typed too many is
-- told of none any more.
-- KEYS: number, entry of the extension, busy, blacklist, wrong extensions of the caller
-- ARGV: epoch, ticket, now, caller, session, node, lease in ms (0: reserve and count nothing),
-- most wrong extensions (0: any number), ms in which they count
-- Returns as look.lua does, and how many were wrong, and whether it was not
-- looked up because of that.
local epoch, ticket, now, caller, session, node, lease, most, span = unpack(ARGV)
lease, most, span = tonumber(lease), tonumber(most), tonumber(span)
if lease == 0 then most = 0 end
local number, flat = fields(KEYS[1])
if not loaded(number, epoch, now) then return miss(KEYS[1], number, ticket, epoch) end
if number.none then return {1, flat, {}, {}, 0, 0, 0, 0, 0, 0} end

local barred = listed(KEYS[4], caller)
local wrong = 0
if most > 0 then
  wrong = tally(KEYS[5], 0, span, most)
  if wrong >= most then return {1, flat, {}, {}, barred, 0, 0, 0, wrong, 1} end
end
local b, binding = fields(KEYS[2])
local found = live(b, number)
if most > 0 and (not found or ended(b, now)) then wrong = tally(KEYS[5], 1, span, most) end
if not found then return {1, flat, {}, {}, barred, 0, 0, 0, wrong, 0} end
local calleeBarred = listed(KEYS[4], b.a)
local wanted = true
if ended(b, now) or not callable(number) or barred == 1 or calleeBarred == 1 or b.a == caller then wanted = false end
local busy, held = reserve(KEYS[3], b.ext, wanted, session, node, lease)
return {1, flat, binding, {}, barred, calleeBarred, busy, held, wrong, 0}
