#!lua flags=allow-oom
-- progress: store how far a running job is.
--
-- Why a script: progress of a worker that lost the job would be shown as the new owner's.
--
-- KEYS[1]  state
-- KEYS[2]  progress
-- ARGV[1]  request id
-- ARGV[2]  fence
-- ARGV[3]  progress, JSON
--
-- Returns  1  stored
--          0  lost: the lease is not the job's any more
if not holds(parse(redis.call('HGET', KEYS[1], ARGV[1])), ARGV[2]) then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 1
