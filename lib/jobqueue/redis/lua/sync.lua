#!lua flags=allow-oom
-- sync: write a mark; once this one is on the disk, so is all that was written before it.
--
-- Why a script: a server tells only of a connection's own writes, and the ones that count may have come over another.
--
-- KEYS[1]  meta
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
--
-- Returns 1
local now = clock(ARGV[1])
redis.call('HSET', KEYS[1], 'synced', now)
return 1
