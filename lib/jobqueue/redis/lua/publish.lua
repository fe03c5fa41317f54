#!lua flags=allow-oom
-- publish: move some jobs of a committed batch into the streams. Anyone may do it; the producer is only first.
--
-- Why a script: taking a job off the batch and adding it to its stream must not be split.
-- Transitions: none -created-> waiting, none -deferred-> delayed
--
-- KEYS[1]  state
-- KEYS[2]  high
-- KEYS[3]  normal
-- KEYS[4]  low
-- KEYS[5]  delayed
-- KEYS[6]  events
-- KEYS[7]  meta
-- KEYS[8]  bell
-- KEYS[9]  batches
-- KEYS[10] batch
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  batch id
-- ARGV[3]  how many, at most 500
-- ARGV[4]  events kept
-- ARGV[5]  how long the producer may pause before a worker publishes in its place, ms
--
-- Returns how many jobs of the batch are left
local streams = { high = KEYS[2], normal = KEYS[3], low = KEYS[4] }
local mark = redis.call('HGET', KEYS[9], ARGV[2])
if not mark or cjson.decode(mark)[1] ~= 'committed' then return 0 end
local first = cjson.decode(mark)[3] -- the order of the next job; a batch that the version before committed has none
local now, stamp = clock(ARGV[1])
local states = {}
local ids = redis.call('LRANGE', KEYS[10], 0, ARGV[3] - 1)
local rows = #ids > 0 and redis.call('HMGET', KEYS[1], unpack(ids)) or {}
local order = (first or take_orders(KEYS[7], now, #ids)) - 1
for i, raw in ipairs(rows) do
  local row = parse(raw)
  if row and row[STATE] == 'staged' and row[BATCH] == ARGV[2] then
    local state, entry = 'waiting', ''
    if row[DUE] ~= '' then
      state = 'delayed'
      redis.call('ZADD', KEYS[5], row[DUE], ids[i])
    else
      entry = redis.call('XADD', streams[row[PRIORITY]], '*', 'id', ids[i])
    end
    states[#states + 1] = ids[i]
    states[#states + 1] = new_row(state, row[FINGERPRINT], row[PRIORITY], row[MAX_ATTEMPTS], row[ENQUEUED], entry, order + i)
    append_event(KEYS[6], ARGV[4], stamp, state == 'waiting' and 'created' or 'deferred', ids[i], '')
  end
end
if #states > 0 then redis.call('HSET', KEYS[1], unpack(states)) end
redis.call('LTRIM', KEYS[10], #ids, -1)
redis.call('HINCRBY', KEYS[7], 'publishing', 0 - #ids) -- not -#ids: Redis 7 does not read "-0"
local left = redis.call('LLEN', KEYS[10])
if left > 0 then
  redis.call('HSET', KEYS[9], ARGV[2], cjson.encode({ 'committed', now + ARGV[5], order + 1 + #ids }))
else
  redis.call('HDEL', KEYS[9], ARGV[2])
  ring(KEYS[8]) -- delayed jobs may be due earlier than any worker expects
end
return left
