"""What Redis does, atomically and by its own clock.

One hash a limit: `b:<tick>` what was spent in a slot of time, `h:<replica>` what a replica holds (leased and unspent, or under
way), `x:<replica>` when it counts as dead, `k:<replica>` that its spending is known, `d` debt, `q` the replica that waits first.
Always: spent in the window + held + debt is what nobody else may take. A replica reports what it spent after it spent it, and
what is counted later expires later, so no window can hold more than the limit. What a dead replica held counts as spent at its
end, for it may have been.

A restart of Redis may have lost all this. It shows by the server's run id; then nothing is granted for one lease time, in which
every living replica says again what it holds and has spent. The same happens once when Redis is first used.

In a long window (a budget) room is waited for only where others hold enough that they may give back.

Who cannot get what it needs waits first in line, and nobody else is served until it has: a large request is not starved by
small ones on other replicas, and two large ones do not each hold half. All or nothing: there is nothing to deadlock on.
"""

BEGIN = """
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then
  local t = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'run', ARGV[1], 'born', t[1] * 1000 + math.floor(t[2] / 1000))
end
"""
"""What a new connection does first, so that the lease time in which nothing is granted is over before the first request comes."""

SYNC = """
local key, epoch = KEYS[1], KEYS[2]
local run, me = ARGV[1], ARGV[2]
local limit, window, slots, ttl = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local spent, recent, held = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local need, like = tonumber(ARGV[10]), tonumber(ARGV[11])
local long = ARGV[12] == '1'
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local e = redis.call('HMGET', epoch, 'run', 'born')
if e[1] ~= run then
  e = {run, now}
  redis.call('HSET', epoch, 'run', run, 'born', now)
end
local born = tonumber(e[2])

local width = math.max(math.ceil(window / slots), 1)
local tick = math.floor(now / width)
local total, others, debt, dead, known, first, firstx = 0, 0, 0, 0, false, nil, 0
local buckets, gone = {}, {}
local all = redis.call('HGETALL', key)
local f = {}
for i = 1, #all, 2 do f[all[i]] = all[i + 1] end
local stale = f['e'] ~= run
for name, value in pairs(f) do
  local kind, rest = string.sub(name, 1, 2), string.sub(name, 3)
  if kind == 'b:' then
    local at = tonumber(rest)
    if at < tick - slots then gone[#gone + 1] = name
    else buckets[#buckets + 1] = {at, tonumber(value)}; total = total + tonumber(value) end
  elseif kind == 'h:' then
    if stale or tonumber(f['x:' .. rest] or '0') <= now then
      if not stale and rest ~= me then dead = dead + tonumber(value) end
      gone[#gone + 1] = name; gone[#gone + 1] = 'x:' .. rest
    elseif rest ~= me then others = others + tonumber(value) end
  elseif kind == 'k:' then
    if rest == me and not stale then known = true
    elseif stale or now - tonumber(value) > 3600000 then gone[#gone + 1] = name end
  elseif name == 'd' then debt = tonumber(value)
  elseif name == 'q' and not stale then first = value
  elseif name == 'qx' then firstx = tonumber(value) end
end
if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
if firstx <= now then first = nil end

if not known then spent = math.max(spent, recent) end
debt = debt + dead + spent
local pay = math.max(math.min(debt, limit - total - others - held), 0)
debt = debt - pay
total = total + pay
if pay > 0 then redis.call('HINCRBY', key, 'b:' .. tick, pay) end

local granted, wait = 0, 0
local room = limit - total - others - held - debt
if need > 0 then
  local quarantine = born + ttl - now
  if quarantine > 0 then wait = quarantine
  elseif first and first ~= me then wait = 5
  elseif room >= need then
    granted = math.min(room, math.max(need, like))
    first = nil
  else
    first = me
    local short = need - room
    wait = 10
    if long and others >= short then buckets, wait = {}, 100 end
    table.sort(buckets, function(a, b) return a[1] < b[1] end)
    for i = 1, #buckets do
      short = short - buckets[i][2]
      if short <= 0 then wait = math.max((buckets[i][1] + slots + 1) * width - now, 1); break end
    end
  end
  if wait > 0 and first == me then redis.call('HSET', key, 'q', me, 'qx', now + math.min(1000, ttl)) end
elseif first == me then first = nil
end
if not first then redis.call('HDEL', key, 'q', 'qx') end
redis.call('HSET', key, 'e', run, 'd', debt, 'h:' .. me, held + granted, 'x:' .. me, now + ttl, 'k:' .. me, now)
redis.call('PEXPIRE', key, window + 2 * ttl + 1000)
return {granted, wait, math.max(room - granted, 0)}
"""
