#!lua flags=allow-oom
-- release: hand a job back unfinished; it is given out first and no attempt is spent.
--
-- Why a script: a late worker must not hand out a job that another one is working on.
-- Transitions: running -released-> waiting
--
-- KEYS[1]  state
-- KEYS[2]  leases
-- KEYS[3]  events
-- KEYS[4]  bell
-- KEYS[5]  progress
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  events kept
-- ARGV[3]  request id
-- ARGV[4]  fence
-- ARGV[5]  data of the event, JSON
-- ARGV[6]  "1": the next to claim it is told to run it singly; "0": as before
--
-- Returns  1  handed back
--          0  lost: the lease is not the job's any more
local now, stamp = clock(ARGV[1])
local id = ARGV[3]
local row = parse(redis.call('HGET', KEYS[1], id))
if not holds(row, ARGV[4]) then
  return repeats(row, ARGV[4], 'released') and 1 or 0
end
if row[PHASE] == 'begun' then row[EXCUSED] = row[EXCUSED] + 1 end
row[STATE], row[SINCE], row[PHASE] = 'waiting', now, 'released'
note(row, '', '', nil, ARGV[6] == '1' and 1 or nil)
redis.call('HSET', KEYS[1], id, cjson.encode(row))
redis.call('ZADD', KEYS[2], 0, id) -- its stream entry stays; score 0 means: to whoever asks first
redis.call('HDEL', KEYS[5], id)
append_event(KEYS[3], ARGV[2], stamp, 'released', id, ARGV[5])
ring(KEYS[4])
return 1
