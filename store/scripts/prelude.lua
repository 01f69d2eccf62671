-- What several scripts need. The embedded Redis runs them too, and its Lua gets
-- "v = v and f()" on an existing local wrong: use if instead. Instants are texts such as
-- 2026-01-02T03:04:05.000000Z, UTC and of fixed width, so that they compare.

-- The term of this server: it begins when the server becomes a master, and ends when
-- it is restarted or a replica. A replica that took over has another one than
-- its master had. Connections to a server that became a replica may stay open:
-- it answers nothing.
local function mastership()
  local info = redis.pcall('INFO', 'replication')
  if type(info) == 'table' then
    if not string.find(info.err, 'is not supported', 1, true) then return nil, info end
    -- The embedded one does not say, and keeps nothing over a restart.
    local mark = redis.call('GET', 'axgate:server')
    if not mark then
      local t = redis.call('TIME')
      mark = 'embedded-' .. t[1] .. '.' .. t[2]
      redis.call('SET', 'axgate:server', mark)
    end
    return mark
  end
  if not string.find(info, 'role:master', 1, true) then
    return nil, {err = 'READONLY this server is a replica'}
  end
  return string.match(info, 'master_replid:(%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x)')
end

local term, refusal = mastership()
if refusal then return refusal end

local function fields(key)
  local flat = redis.call('HGETALL', key)
  local t = {}
  for i = 1, #flat, 2 do t[flat[i]] = flat[i + 1] end
  return t, flat
end

-- The server's own clock: leases must not depend on the clocks of the nodes.
local function clock()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

local function instant(ms)
  local second = math.floor(ms / 1000)
  local day = math.floor(second / 86400)
  local z = day + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  local rest = second - day * 86400
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03d000Z', year, month, doy - math.floor((153 * mp + 2) / 5) + 1,
    math.floor(rest / 3600), math.floor(rest / 60) % 60, rest % 60, ms % 1000)
end

local function ended(e, now)
  return e['until'] ~= nil and e['until'] <= now
end

-- X is loaded if its hash was filled from the ledger in this epoch, on this server
-- in its present term.
local function loaded(number, epoch, now)
  return number.load and number.epoch == epoch and number.term == term and not ended(number, now)
end

-- An entry counts only if it belongs to the load that stands.
local function live(e, number)
  return e.load == number.load and not e.gone
end

-- Nothing that is stored about X is believed any more; what is left is the
-- version below which nothing may be written.
local function unload(key, number, version)
  if number.version and tonumber(number.version) > tonumber(version) then version = number.version end
  redis.call('DEL', key)
  redis.call('HSET', key, 'version', version)
end

-- A miss hands out a ticket: the right to load X, which any change takes away.
-- Several loads may share one, but none with a load of an earlier epoch: what
-- that one read from the ledger may have ended since. Nor with one that was begun on
-- another server: not all that was written there need be here.
local function miss(key, number, ticket, epoch)
  if number.ticket and number.ticket_term == term and number.ticket_epoch and tonumber(number.ticket_epoch) >= tonumber(epoch) then
    ticket = number.ticket
  else
    redis.call('HDEL', key, 'load', 'none', 'until')
    redis.call('HSET', key, 'ticket', ticket, 'ticket_epoch', epoch, 'ticket_term', term)
  end
  if not number.version then redis.call('PEXPIRE', key, 60000) end
  return {0, ticket}
end

-- Whether a load under a ticket may still write.
local function awaited(key, ticket)
  local v = redis.call('HMGET', key, 'ticket', 'ticket_term')
  return v[1] == ticket and v[2] == term
end

-- More fields may follow. The expiry comes last: one that is over already
-- removes the key, and nothing may make it again.
local function write(key, expires, from, count, ...)
  redis.call('DEL', key)
  redis.call('HSET', key, unpack(ARGV, from, from + count - 1))
  if select('#', ...) > 0 then redis.call('HSET', key, ...) end
  if expires ~= '' then redis.call('PEXPIREAT', key, expires) end
end

-- Who holds a place of X, if anybody does.
local function holder(key, place, now)
  local v = redis.call('HGET', key, place)
  if not v then return nil end
  local session, _, expires = string.match(v, '^(%S+) (%S+) (%S+)$')
  if session and expires > now then return session end
end

local function hold(key, place, session, node, ms, lease)
  redis.call('HSET', key, place, session .. ' ' .. node .. ' ' .. instant(ms + lease))
  redis.call('PEXPIRE', key, 2 * lease)
end

-- reserve gives the place to the session if it is wanted and free. It returns
-- whether somebody else has it, and whether the session has it now.
local function reserve(key, place, wanted, session, node, lease)
  local ms = clock()
  local by = holder(key, place, instant(ms))
  if by and by ~= session then return 1, 0 end
  if not wanted or lease == 0 then return 0, 0 end
  hold(key, place, session, node, ms, lease)
  return 0, 1
end

local function callable(number)
  return number.status == 'normal' or number.status == 'frozen'
end

-- Whether a binding lets calls through, other than the direction that is not
-- wanted: 1 would allow only A, 2 only others.
local function allows(b, unwanted, now)
  return not (ended(b, now) or b.off or b.allowed == unwanted)
end

local function listed(key, number)
  if not number or number == '' then return 0 end
  return redis.call('SISMEMBER', key, number)
end

-- tally adds to a count that begins anew once its span (ms) is over. One that
-- reaches its limit (0: none) stands for a whole span from then on. It returns
-- the count, and the instant at which it begins anew.
local function tally(key, add, span, limit)
  local ms = clock()
  local e = fields(key)
  local count, ends = tonumber(e.count or '0'), e['until']
  if not ends or ends <= instant(ms) then
    count, ends = 0, instant(ms + span)
  end
  if add == 0 or limit > 0 and count >= limit then return count, ends end
  count = count + add
  if limit > 0 and count >= limit then ends = instant(ms + span) end
  redis.call('HSET', key, 'count', count, 'until', ends)
  redis.call('PEXPIRE', key, 2 * span)
  return count, ends
end
