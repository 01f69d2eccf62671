-- Everything about an extension that a caller typed, and its busy mark if the
-- call may be put through.
-- KEYS: number, entry of the extension, busy, blacklist
-- ARGV: epoch, ticket, now, caller, session, node, lease in ms (0: reserve nothing)
-- Returns as look.lua does.
local epoch, ticket, now, caller, session, node, lease = unpack(ARGV)
guard(KEYS[1])
local number, flat = fields(KEYS[1])
if not loaded(number, epoch, now) then return miss(KEYS[1], number, ticket, epoch) end
if number.none then return {1, flat, {}, {}, 0, 0, 0, 0} end

local b, binding = fields(KEYS[2])
if not live(b, number) then return {1, flat, {}, {}, listed(KEYS[4], caller), 0, 0, 0} end
local barred, calleeBarred = listed(KEYS[4], caller), listed(KEYS[4], b.a)
local wanted = true
if ended(b, now) or not callable(number) or barred == 1 or calleeBarred == 1 or b.a == caller then wanted = false end
local busy, held = reserve(KEYS[3], b.ext, wanted, session, node, tonumber(lease))
return {1, flat, binding, {}, barred, calleeBarred, busy, held}
