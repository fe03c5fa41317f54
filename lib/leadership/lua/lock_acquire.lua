#!lua flags=allow-oom
-- lock_acquire: become the leader, if nobody is.
--
-- Why a script: reading the old leader and writing the new one must not be split by another standby, and the
-- epoch must rise with every change of leader. The row stays when the lease is over, so that epochs never
-- come again; the caller passes the newest one it remembers, for a server that lost its memory.
--
-- KEYS[1]  lock
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  owner
-- ARGV[3]  token, new for each call but the same in a repeat after a lost reply
-- ARGV[4]  lease, ms
-- ARGV[5]  epoch that the new one must be above
--
-- Returns  {1, epoch, expiry in ms}         the caller leads
--          {0, epoch, expiry in ms, owner}  that one does
local now = clock(ARGV[1])
local held = redis.call('HMGET', KEYS[1], 'owner', 'token', 'epoch', 'expires_ms')
local epoch, expires = tonumber(held[3] or '0'), tonumber(held[4] or '0')
if expires > now then
  if held[2] == ARGV[3] then return { 1, epoch, expires } end
  return { 0, epoch, expires, held[1] }
end
epoch, expires = math.max(epoch, tonumber(ARGV[5])) + 1, now + tonumber(ARGV[4])
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'token', ARGV[3], 'epoch', epoch, 'since_ms', now,
  'expires_ms', expires)
return { 1, epoch, expires }
