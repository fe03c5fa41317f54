#!lua
-- commit: accept a staged batch, whole. From here on its jobs exist, each with its place in the order of asking;
-- `publish` only moves them.
--
-- Why a script: the depth limit, the producer's right to commit and the mark must not be split.
--
-- KEYS[1]  state
-- KEYS[2]  result
-- KEYS[3]  failed
-- KEYS[4]  meta
-- KEYS[5]  batches
-- KEYS[6]  batch
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  batch id
-- ARGV[3]  how long the producer may pause before a worker publishes in its place, ms
-- ARGV[4]  depth limit, jobs
--
-- Returns "ok", "full" (nothing accepted), or "lost" (the batch counts as abandoned; start over)
local mark = redis.call('HGET', KEYS[5], ARGV[2])
local state = mark and cjson.decode(mark)[1]
if state == 'committed' then return 'ok' end
if state ~= 'open' then return 'lost' end
if depth({ state = KEYS[1], result = KEYS[2], failed = KEYS[3] }) > tonumber(ARGV[4]) then return 'full' end
local now, jobs = clock(ARGV[1]), redis.call('LLEN', KEYS[6])
redis.call('HINCRBY', KEYS[4], 'publishing', jobs)
redis.call('HSET', KEYS[5], ARGV[2], cjson.encode({ 'committed', now + ARGV[3], take_orders(KEYS[4], now, jobs) }))
return 'ok'
