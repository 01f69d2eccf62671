-- Everything about one call to X, and its busy mark if the call may be put
-- through.
-- KEYS: number, ax, entry of the caller, temporary callee, callback record, busy, blacklist
-- ARGV: epoch, ticket, now, caller, session, node, lease in ms (0: reserve nothing)
-- Returns 0 and a ticket, or 1, number, binding, temporary callee or callback
-- record, caller blacklisted, callee blacklisted, busy, held.
local epoch, ticket, now, caller, session, node, lease = unpack(ARGV)
lease = tonumber(lease)
local number, flat = fields(KEYS[1])
if not loaded(number, epoch, now) then return miss(KEYS[1], number, ticket, epoch) end
if number.none then return {1, flat, {}, {}, 0, 0, 0, 0} end

local b, binding, x, extra = {}, {}, {}, {}
local callee, place
local wanted = false

if number.mode == 'AX' then
  b, binding = fields(KEYS[2])
  if live(b, number) then
    place = 'x'
    if caller == b.a then
      x, extra = fields(KEYS[4])
      if live(x, number) and not ended(x, now) then
        callee, wanted = x.callee, allows(b, '2', now)
      end
    else
      callee, wanted = b.a, allows(b, '1', now)
    end
  end
elseif caller ~= '' then
  b, binding = fields(KEYS[3])
  if live(b, number) then
    if number.mode == 'AXB' or number.mode == 'AXYB' then
      callee = b.a
      if caller == b.a then callee = b.b end
    else
      callee, place = b.callback_num, b.ext
      x, extra = fields(KEYS[5])
      if live(x, number) and x.id == b.id and not ended(x, now) and x.caller ~= '' then callee = x.caller end
      if callee then wanted = not ended(b, now) end
    end
  end
end
if not live(b, number) then binding = {} end
if not live(x, number) then extra = {} end

local barred, calleeBarred = listed(KEYS[7], caller), listed(KEYS[7], callee)
local busy, held = 0, 0
if place then
  if not callable(number) or barred == 1 or calleeBarred == 1 or callee == caller then wanted = false end
  busy, held = reserve(KEYS[6], place, wanted, session, node, lease)
end
return {1, flat, binding, extra, barred, calleeBarred, busy, held}
