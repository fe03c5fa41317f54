#!lua flags=allow-oom
-- lock_look: who leads, and how long still.
--
-- Why a script: the lease must be judged by the clock that set it, in the same moment.
--
-- KEYS[1]  lock
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
--
-- Returns  {epoch, ms left of the lease (0: over), owner, token, since in ms}; epoch 0: there never was a leader
local now = clock(ARGV[1])
local held = redis.call('HMGET', KEYS[1], 'epoch', 'expires_ms', 'owner', 'token', 'since_ms')
local left = math.max(0, tonumber(held[2] or '0') - now)
return { tonumber(held[1] or '0'), left, held[3] or '', held[4] or '', tonumber(held[5] or '0') }
