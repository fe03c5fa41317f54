#!lua
-- retry: requeue failed and canceled jobs, with their attempts to spend anew.
--
-- Why a script: removing the record and adding the work must not be split, or the job is in two states or none.
-- Transitions: failed -retried-> waiting, canceled -retried-> waiting,
--              failed -deferred-> delayed, canceled -deferred-> delayed
--
-- KEYS[1]  state
-- KEYS[2]  spec
-- KEYS[3]  high
-- KEYS[4]  normal
-- KEYS[5]  low
-- KEYS[6]  failed
-- KEYS[7]  history
-- KEYS[8]  history_failed
-- KEYS[9]  events
-- KEYS[10] meta
-- KEYS[11] delayed
-- KEYS[12] bell
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  events kept
-- ARGV[3]  lifetime of records, ms
-- ARGV[4]  first of the request ids, at most 500
--
-- Returns {1 requeued or 0 nothing changed, the state now or ""} per id
local streams = { high = KEYS[3], normal = KEYS[4], low = KEYS[5] }
local now, stamp = clock(ARGV[1])
local reply, due_soon = {}, false

-- When the job may be worked on, if it says so. What nobody can read is for a worker to find out.
local function wished(spec)
  local _, fields = pcall(cjson.decode, spec)
  local seconds = type(fields) == 'table' and tonumber(fields.not_before)
  return seconds and math.floor(seconds * 1000 + 0.5) or 0
end

for at = 4, #ARGV do
  local id = ARGV[at]
  local row = parse(redis.call('HGET', KEYS[1], id))
  local known = row and row[STATE] ~= 'staged' and not outlived(row, now, tonumber(ARGV[3]))
  local state = known and row[STATE] or ''
  local spec = (state == 'failed' or state == 'canceled') and redis.call('HGET', KEYS[2], id)
  if spec then
    local due = wished(spec)
    if state == 'canceled' then redis.call('HINCRBY', KEYS[10], 'canceled', -1) end
    redis.call('HDEL', KEYS[6], id)
    redis.call('ZREM', KEYS[7], id)
    redis.call('ZREM', KEYS[8], id)
    row[EXCUSED], row[LOST], row[POISONED], row[PHASE] = row[ATTEMPT], 0, 0, ''
    row[STATE], row[SINCE], row[ORDER] = 'waiting', now, take_orders(KEYS[10], now, 1)
    if due > now then
      row[STATE], row[ENTRY], due_soon = 'delayed', '', true
      redis.call('ZADD', KEYS[11], due, id)
    else
      row[ENTRY] = redis.call('XADD', streams[row[PRIORITY]], '*', 'id', id)
    end
    redis.call('HSET', KEYS[1], id, cjson.encode(row))
    append_event(KEYS[9], ARGV[2], stamp, row[STATE] == 'waiting' and 'retried' or 'deferred', id, '')
    reply[#reply + 1] = { 1, row[STATE] }
  else
    reply[#reply + 1] = { 0, state }
  end
end
if due_soon then ring(KEYS[12]) end
return reply
