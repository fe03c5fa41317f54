#!lua
-- commit: accept a staged batch, whole. From here on its jobs exist; `publish` only moves them.
--
-- Why a script: the depth limit, the producer's right to commit and the mark must not be split.
--
-- KEYS[1]  batches
-- KEYS[2]  batch
-- KEYS[3]  high
-- KEYS[4]  normal
-- KEYS[5]  low
-- KEYS[6]  delayed
-- KEYS[7]  meta
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  batch id
-- ARGV[3]  how long the producer may pause before a worker publishes in its place, ms
-- ARGV[4]  depth limit, jobs
--
-- Returns "ok", "full" (nothing accepted), or "lost" (the batch counts as abandoned; start over)
local mark = redis.call('HGET', KEYS[1], ARGV[2])
local state = mark and cjson.decode(mark)[1]
if state == 'committed' then return 'ok' end
if state ~= 'open' then return 'lost' end
local count = redis.call('LLEN', KEYS[2])
local depth = redis.call('XLEN', KEYS[3]) + redis.call('XLEN', KEYS[4]) + redis.call('XLEN', KEYS[5])
  + redis.call('ZCARD', KEYS[6]) + tonumber(redis.call('HGET', KEYS[7], 'publishing') or 0)
if depth + count > tonumber(ARGV[4]) then return 'full' end
redis.call('HINCRBY', KEYS[7], 'publishing', count)
redis.call('HSET', KEYS[1], ARGV[2], cjson.encode({ 'committed', clock(ARGV[1]) + ARGV[3] }))
return 'ok'
