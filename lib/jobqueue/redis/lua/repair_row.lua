#!lua flags=allow-oom
-- repair_row: remove a row that cannot be read, if it is still the one that was looked at.
--
-- Why a script: the job may have been flushed and enqueued anew since; comparing and removing must not be split.
--
-- KEYS[1]  state
-- ARGV[1]  request id
-- ARGV[2]  the row as it was read
--
-- Returns  1  removed
--          0  it is another one, or gone; nothing was changed
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
