#!lua flags=allow-oom
-- lock_release: step down, so that a standby need not wait for the lease to end.
--
-- Why a script: only the present leader may end its own lease. The epoch stays, see lock_acquire.
--
-- KEYS[1]  lock
-- ARGV[1]  epoch given by lock_acquire
-- ARGV[2]  token given to lock_acquire
--
-- Returns  1  no longer the leader
--          0  was not the leader any more; nothing was changed
local held = redis.call('HMGET', KEYS[1], 'token', 'epoch')
if held[1] ~= ARGV[2] or held[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'expires_ms', 0)
return 1
