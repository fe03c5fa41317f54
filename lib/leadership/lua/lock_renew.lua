#!lua flags=allow-oom
-- lock_renew: stay the leader for another lease from now.
--
-- Why a script: a leader that slept through its lease must not extend, or win back, what another one took.
--
-- KEYS[1]  lock
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  epoch given by lock_acquire
-- ARGV[3]  token given to lock_acquire
-- ARGV[4]  lease, ms
--
-- Returns  the new expiry in ms; 0 when the lease is over or somebody else's
local now = clock(ARGV[1])
local held = redis.call('HMGET', KEYS[1], 'token', 'epoch', 'expires_ms')
if held[1] ~= ARGV[3] or held[2] ~= ARGV[2] or tonumber(held[3]) <= now then return 0 end
local expires = now + tonumber(ARGV[4])
redis.call('HSET', KEYS[1], 'expires_ms', expires)
return expires
