#!lua flags=allow-oom
-- snapshot: the queue in numbers, all of one moment, at a cost that does not grow with the number of jobs.
--
-- Why a script: read one by one, a job that moves meanwhile would be counted twice or not at all.
--
-- KEYS[1]  state
-- KEYS[2]  high
-- KEYS[3]  normal
-- KEYS[4]  low
-- KEYS[5]  leases
-- KEYS[6]  delayed
-- KEYS[7]  result
-- KEYS[8]  failed
-- KEYS[9]  meta
-- KEYS[10] watcher
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  consumer group
--
-- Returns {now, waiting, pending, delayed, stale, ms since when the oldest waits or "", done, failed and canceled,
--          canceled, 1 paused or 0, ms when a watcher that is gone was last seen or "", {watcher name, JSON...}}
local now = clock(ARGV[1])
local entries, oldest = 0, nil

local function consider(id)
  -- A damaged row gives words instead of a row: they have no state, and `reconcile` is who tells of it.
  local _, row = pcall(parse, id and redis.call('HGET', KEYS[1], id))
  if row and row[STATE] == 'waiting' and (not oldest or row[SINCE] < oldest) then oldest = row[SINCE] end
end

-- The first entry not yet delivered; entries before it are pending, or handed back.
local function first_undelivered(stream)
  local start = '-'
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local fields = {}
    for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
    if fields['name'] == ARGV[2] then start = '(' .. fields['last-delivered-id'] end
  end
  local first = redis.call('XRANGE', stream, start, '+', 'COUNT', 1)[1]
  return first and first[2][2]
end

for i = 2, 4 do
  local length = redis.call('XLEN', KEYS[i])
  entries = entries + length
  if length > 0 then consider(first_undelivered(KEYS[i])) end
end
local handed_back = redis.call('ZCOUNT', KEYS[5], 0, 0)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], 0, 0, 'LIMIT', 0, 20)) do consider(id) end
local pending = redis.call('ZCARD', KEYS[5]) - handed_back
local meta = redis.call('HMGET', KEYS[9], 'publishing', 'canceled', 'paused', 'watcher_seen')
return {
  tostring(now), entries - pending + tonumber(meta[1] or 0), pending, redis.call('ZCARD', KEYS[6]),
  redis.call('ZCOUNT', KEYS[5], 1, now), oldest and tostring(oldest) or '',
  redis.call('HLEN', KEYS[7]), redis.call('HLEN', KEYS[8]), tonumber(meta[2] or 0), meta[3] and 1 or 0,
  meta[4] or '', redis.call('HGETALL', KEYS[10]),
}
