#!lua flags=allow-oom
-- complete: record the results of finished jobs, once, for the worker that still holds them.
--
-- Why a script: the fence, the result, the history, the event and the acknowledgement must not be split; a late
-- worker would overwrite the new owner's result, and a crash between them would lose or repeat the job.
-- Transitions: running -done-> done
--
-- KEYS[1]  state
-- KEYS[2]  spec
-- KEYS[3]  high
-- KEYS[4]  normal
-- KEYS[5]  low
-- KEYS[6]  leases
-- KEYS[7]  result
-- KEYS[8]  failed
-- KEYS[9]  history
-- KEYS[10] history_failed
-- KEYS[11] events
-- KEYS[12] meta
-- KEYS[13] progress
-- KEYS[14] errors
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  consumer group
-- ARGV[3]  events kept
-- ARGV[4]  lifetime of records, ms
-- ARGV[5]  records kept
-- ARGV[6]  first of the jobs, at most 250; per job: request id, fence, result JSON
--
-- Returns per job its number in the order of asking, or -1 for a lease that is lost; nothing was written for those
local K = {
  state = KEYS[1], spec = KEYS[2], high = KEYS[3], normal = KEYS[4], low = KEYS[5], result = KEYS[7],
  failed = KEYS[8], history = KEYS[9], history_failed = KEYS[10], meta = KEYS[12],
}
local FIRST, WIDTH = 6, 3
local now, stamp = clock(ARGV[1])
local group, events_max = ARGV[2], ARGV[3]
local ids, orders = {}, {}
for at = FIRST, #ARGV, WIDTH do ids[#ids + 1] = ARGV[at] end

local done, states, results, scores = {}, {}, {}, {}
local entries = { high = {}, normal = {}, low = {} }
for i, raw in ipairs(redis.call('HMGET', K.state, unpack(ids))) do
  local at = FIRST + (i - 1) * WIDTH
  local id, row = ids[i], parse(raw)
  orders[i] = -1
  if holds(row, ARGV[at + 1]) then
    orders[i] = row[ORDER]
    if row[PHASE] ~= 'begun' then row[ATTEMPT], row[STARTED] = row[ATTEMPT] + 1, now end
    local mine = entries[row[PRIORITY]]
    mine[#mine + 1] = row[ENTRY]
    row[STATE], row[SINCE], row[ENTRY], row[PHASE] = 'done', now, '', 'done'
    note(row, '', '', '', 0)
    done[#done + 1] = id
    states[#states + 1], states[#states + 2] = id, cjson.encode(row)
    scores[#scores + 1], scores[#scores + 2] = now, id
    results[#results + 1] = id
    results[#results + 1] = '{"status":"done","finished_ms":' .. now .. ',"result":' .. ARGV[at + 2] .. '}'
    append_event(KEYS[11], events_max, stamp, 'done', id, '')
  elseif repeats(row, ARGV[at + 1], 'done') then
    orders[i] = row[ORDER]
  end
end
if #done > 0 then
  redis.call('HSET', K.result, unpack(results))
  redis.call('HSET', K.state, unpack(states))
  redis.call('ZADD', K.history, unpack(scores))
  redis.call('ZREM', KEYS[6], unpack(done))
  redis.call('HDEL', K.spec, unpack(done))
  redis.call('HDEL', KEYS[13], unpack(done))
  redis.call('HDEL', KEYS[14], unpack(done))
  for name, mine in pairs(entries) do
    if #mine > 0 then
      redis.call('XACK', K[name], group, unpack(mine))
      redis.call('XDEL', K[name], unpack(mine))
    end
  end
end
trim(K, now, tonumber(ARGV[4]), tonumber(ARGV[5]), 2 * #ids + 2)
return orders
