#!lua flags=allow-oom
-- discard: take back some of a batch that was not committed: refused, or its producer died.
--
-- Why a script: a job must not be removed when another producer has taken over its id meanwhile.
--
-- KEYS[1]  state
-- KEYS[2]  spec
-- KEYS[3]  batches
-- KEYS[4]  batch
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  batch id
-- ARGV[3]  how many, at most 500
-- ARGV[4]  "1": its own producer asks; "0": only when abandoned
--
-- Returns how many staged jobs of the batch are left; -1 when it may not be discarded
local mark = redis.call('HGET', KEYS[3], ARGV[2])
if mark then
  local batch = cjson.decode(mark)
  local abandoned = batch[1] == 'dead' or batch[2] <= clock(ARGV[1])
  if batch[1] == 'committed' or not (ARGV[4] == '1' or abandoned) then return -1 end
  redis.call('HSET', KEYS[3], ARGV[2], cjson.encode({ 'dead', 0 }))
end
local ids, gone = redis.call('LRANGE', KEYS[4], 0, ARGV[3] - 1), {}
local rows = #ids > 0 and redis.call('HMGET', KEYS[1], unpack(ids)) or {}
for i, raw in ipairs(rows) do
  local row = parse(raw)
  if row and row[STATE] == 'staged' and row[BATCH] == ARGV[2] then gone[#gone + 1] = ids[i] end
end
if #gone > 0 then
  redis.call('HDEL', KEYS[1], unpack(gone))
  redis.call('HDEL', KEYS[2], unpack(gone))
end
redis.call('LTRIM', KEYS[4], #ids, -1)
local left = redis.call('LLEN', KEYS[4])
if left == 0 then redis.call('HDEL', KEYS[3], ARGV[2]) end
return left
