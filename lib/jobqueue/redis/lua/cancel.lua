#!lua flags=allow-oom
-- cancel: withdraw a job that is not finished. A running one is canceled at once: its lease stops being valid.
--
-- Why a script: between looking and removing, a worker could claim or finish the job.
-- Transitions: waiting -canceled-> canceled, delayed -canceled-> canceled, running -canceled-> canceled
--
-- KEYS[1]  state
-- KEYS[2]  spec
-- KEYS[3]  high
-- KEYS[4]  normal
-- KEYS[5]  low
-- KEYS[6]  leases
-- KEYS[7]  delayed
-- KEYS[8]  result
-- KEYS[9]  failed
-- KEYS[10] history
-- KEYS[11] history_failed
-- KEYS[12] events
-- KEYS[13] meta
-- KEYS[14] progress
-- KEYS[15] errors
-- KEYS[16] bell
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  consumer group
-- ARGV[3]  events kept
-- ARGV[4]  lifetime of records, ms
-- ARGV[5]  records kept
-- ARGV[6]  request id
-- ARGV[7]  error, JSON
--
-- Returns {1 canceled or 0 nothing changed, the state now or "", batch or ""}; with a batch, the job is part of it:
--          publish that (which does nothing unless it is committed), then ask again
local K = {
  state = KEYS[1], spec = KEYS[2], high = KEYS[3], normal = KEYS[4], low = KEYS[5], leases = KEYS[6],
  delayed = KEYS[7], result = KEYS[8], failed = KEYS[9], history = KEYS[10], history_failed = KEYS[11],
  meta = KEYS[13], progress = KEYS[14], errors = KEYS[15],
}
local now, stamp = clock(ARGV[1])
local id = ARGV[6]
local row = parse(redis.call('HGET', K.state, id))
if row and row[STATE] == 'staged' then return { 0, '', row[BATCH] } end
if not row or outlived(row, now, tonumber(ARGV[4])) then return { 0, '', '' } end
if row[STATE] == 'done' or row[STATE] == 'failed' or row[STATE] == 'canceled' then return { 0, row[STATE], '' } end
settle_badly(K, ARGV[2], id, row, 'canceled', now, ARGV[7])
redis.call('HSET', K.state, id, cjson.encode(row))
append_event(KEYS[12], ARGV[3], stamp, 'canceled', id, '')
ring(KEYS[16]) -- the worker that holds it may be asleep
trim(K, now, tonumber(ARGV[4]), tonumber(ARGV[5]), 4)
return { 1, 'canceled', '' }
