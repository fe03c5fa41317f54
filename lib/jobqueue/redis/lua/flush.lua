#!lua flags=allow-oom
-- flush: drop what is under way: streams, leases, delays, batches, notes and events; or with them all records.
--
-- Why a script: a job that is claimed between looking and deleting would be worked on and belong to nobody.
-- Rows and specifications of unfinished jobs stay behind without anything that would give them to a worker, so
-- that this step is short; `flush_rows` removes them in portions. Records, and rows of finished jobs, stay.
--
-- KEYS[1]  state
-- KEYS[2]  spec
-- KEYS[3]  high
-- KEYS[4]  normal
-- KEYS[5]  low
-- KEYS[6]  delayed
-- KEYS[7]  progress
-- KEYS[8]  errors
-- KEYS[9]  events
-- KEYS[10] bell
-- KEYS[11] batches
-- KEYS[12] leases
-- KEYS[13] meta
-- KEYS[14] result
-- KEYS[15] failed
-- KEYS[16] history
-- KEYS[17] history_failed
-- KEYS[18] watcher
-- KEYS[19] revisions
-- KEYS[20] revisions_history
-- KEYS[21] calls
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  "soft": what is under way; "hard": every key above
-- ARGV[3]  "1": also while jobs are leased
--
-- Returns {"held", how many jobs are leased}, nothing was deleted; or {"ok", how many leased jobs were dropped}
local now = clock(ARGV[1])
local held = redis.call('ZCOUNT', KEYS[12], '(' .. now, '+inf')
if held > 0 and ARGV[3] ~= '1' then return { 'held', held } end
if ARGV[2] == 'hard' then
  redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18],
    KEYS[19], KEYS[20], KEYS[21])
else
  -- A leased job's row goes here and now: a worker that renews must not bring its lease back.
  local ids = redis.call('ZRANGE', KEYS[12], 0, -1)
  for at = 1, #ids, 1000 do
    local some = { unpack(ids, at, math.min(at + 999, #ids)) }
    local rows, gone = redis.call('HMGET', KEYS[1], unpack(some)), {}
    for n, raw in ipairs(rows) do
      local row = parse(raw)
      if row and (row[STATE] == 'running' or row[STATE] == 'waiting') then gone[#gone + 1] = some[n] end
    end
    if #gone > 0 then
      redis.call('HDEL', KEYS[1], unpack(gone))
      redis.call('HDEL', KEYS[2], unpack(gone))
    end
  end
  redis.call('HDEL', KEYS[13], 'turn', 'paused', 'publishing')
end
for i = 3, 12 do redis.call('UNLINK', KEYS[i]) end
return { 'ok', held }
