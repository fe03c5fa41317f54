#!lua flags=allow-oom
-- repair_meta: set a counter right, unless it moved since it was found wrong.
--
-- Why a script: the count was taken a moment ago; comparing and setting must not be split.
--
-- KEYS[1]  meta
-- ARGV[1]  field
-- ARGV[2]  what it was when it was found wrong; empty: not there
-- ARGV[3]  what it should be
--
-- Returns  1  set
--          0  it moved; nothing was changed
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
