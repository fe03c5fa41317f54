#!lua
-- stage: prepare one chunk of a large file. Staged jobs exist for nobody until their batch is committed.
--
-- Why a script: it reserves the ids, so that no other producer can take one between looking and committing.
--
-- KEYS[1]  state
-- KEYS[2]  spec
-- KEYS[3]  batches
-- KEYS[4]  batch: list of the request ids staged
-- KEYS[5]  result
-- KEYS[6]  failed
-- KEYS[7]  history
-- KEYS[8]  history_failed
-- KEYS[9]  meta
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  batch id
-- ARGV[3]  how long the producer may pause before its batch counts as abandoned, ms
-- ARGV[4]  lifetime of records, ms
-- ARGV[5]  "1": the batch's first chunk, which opens it
-- ARGV[6]  first of the jobs; per job: request id, fingerprint, priority, max attempts, due ms or "", payload
--
-- Returns {verdict, {index, outcome, state, dedup_until ms or "", revision}...} with an item per job that was not staged
--          or will be delayed, index from 0; verdict "ok", "busy" (another producer is staging one of the ids), or "lost" (the batch
--          counts as abandoned; start over)
local K = {
  state = KEYS[1], spec = KEYS[2], result = KEYS[5], failed = KEYS[6], history = KEYS[7],
  history_failed = KEYS[8], meta = KEYS[9],
}
local FIRST, WIDTH = 6, 6
local batches, batch, ttl = KEYS[3], ARGV[2], tonumber(ARGV[4])
local now = clock(ARGV[1])
local mark = redis.call('HGET', batches, batch)
if not mark and ARGV[5] ~= '1' then return { 'lost' } end
if mark and cjson.decode(mark)[1] ~= 'open' then return { 'lost' } end

local ids = {}
for at = FIRST, #ARGV, WIDTH do ids[#ids + 1] = ARGV[at] end
local reply, staged, specs, states, expired = { 'ok' }, {}, {}, {}, {}
for i, raw in ipairs(redis.call('HMGET', K.state, unpack(ids))) do
  local at = FIRST + (i - 1) * WIDTH
  local row = parse(raw)
  local mine = false
  if row and row[STATE] == 'staged' then
    mine = row[BATCH] == batch
    local standing = mine and 'mine' or staged_standing(batches, row, now)
    if standing == 'busy' then return { 'busy' } end
    if standing == 'accepted' then
      row[STATE] = row[DUE] ~= '' and 'delayed' or 'waiting'
    else
      row = nil
    end
  elseif row and outlived(row, now, ttl) then
    expired[#expired + 1] = ids[i]
    row = nil
  end
  if row then
    local ended = row[STATE] == 'done' or row[STATE] == 'failed' or row[STATE] == 'canceled'
    reply[#reply + 1] = {
      i - 1, row[FINGERPRINT] == ARGV[at + 1] and 'duplicate' or 'conflict', row[STATE],
      ended and tostring(row[SINCE] + ttl) or '', row[REVISION] or 1,
    }
  else
    if not mine then staged[#staged + 1] = ids[i] end
    local due = tonumber(ARGV[at + 4])
    if due and due > now then reply[#reply + 1] = { i - 1, 'created', 'delayed', '', 1 } end
    specs[#specs + 1], specs[#specs + 2] = ids[i], ARGV[at + 5]
    states[#states + 1] = ids[i]
    states[#states + 1] = cjson.encode({
      'staged', ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3]), now, now, batch,
      due and due > now and tostring(due) or '',
    })
  end
end
forget(K, expired)
if #states > 0 then
  redis.call('HSET', K.spec, unpack(specs))
  redis.call('HSET', K.state, unpack(states))
end
if #staged > 0 then redis.call('RPUSH', KEYS[4], unpack(staged)) end
redis.call('HSET', batches, batch, cjson.encode({ 'open', now + ARGV[3] }))
return reply
