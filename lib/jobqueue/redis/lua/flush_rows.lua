#!lua flags=allow-oom
-- flush_rows: remove the rows of unfinished jobs that nothing would give to a worker any more.
--
-- Why a script: a job enqueued since the flush has its place in a stream, and must not be removed.
--
-- KEYS[1]  state
-- KEYS[2]  spec
-- KEYS[3]  high
-- KEYS[4]  normal
-- KEYS[5]  low
-- KEYS[6]  delayed
-- KEYS[7]  batches
-- ARGV[1]  first of the request ids, at most 500
--
-- Returns how many were removed
local streams = { high = KEYS[3], normal = KEYS[4], low = KEYS[5] }
local ids, gone = {}, {}
for at = 1, #ARGV do ids[#ids + 1] = ARGV[at] end

local function kept(id, row)
  local state = row[STATE]
  if state == 'staged' then return redis.call('HEXISTS', KEYS[7], row[BATCH]) == 1 end
  if state == 'delayed' then return redis.call('ZSCORE', KEYS[6], id) end
  if state == 'waiting' or state == 'running' then
    -- its own entry: one made anew in the same millisecond has the id of an older one
    local entry = row[ENTRY]
    local there = entry ~= '' and redis.call('XRANGE', streams[row[PRIORITY]], entry, entry)[1]
    return there and there[2][2] == id
  end
  return true
end

for i, raw in ipairs(redis.call('HMGET', KEYS[1], unpack(ids))) do
  local row = parse(raw)
  if row and not kept(ids[i], row) then gone[#gone + 1] = ids[i] end
end
if #gone > 0 then
  redis.call('HDEL', KEYS[1], unpack(gone))
  redis.call('HDEL', KEYS[2], unpack(gone))
end
return #gone
