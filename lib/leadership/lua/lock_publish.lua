#!lua flags=allow-oom
-- lock_publish: write a value that only the leader may write, for a while.
--
-- Why a script: a leader that was stopped and wakes up must not write over its successor, so that the look at
-- the lock and the write are one step.
--
-- KEYS[1]  lock
-- KEYS[2]  market
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  epoch given by lock_acquire
-- ARGV[3]  token given to lock_acquire
-- ARGV[4]  value
-- ARGV[5]  ms until the value is forgotten
--
-- Returns  1  written
--          0  the caller does not lead; nothing was changed
local now = clock(ARGV[1])
local held = redis.call('HMGET', KEYS[1], 'token', 'epoch', 'expires_ms')
if held[1] ~= ARGV[3] or held[2] ~= ARGV[2] or tonumber(held[3]) <= now then return 0 end
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5])
return 1
