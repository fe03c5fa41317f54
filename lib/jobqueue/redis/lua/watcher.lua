#!lua flags=allow-oom
-- watcher: enter a watcher into the registry, or say that it is alive.
--
-- Why a script: the times are the server's, so that watchers with wrong clocks are judged alike.
--
-- KEYS[1]  watcher
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  name
-- ARGV[3]  data, JSON; empty: as before
--
-- Returns 1
local now = clock(ARGV[1])
local raw = redis.call('HGET', KEYS[1], ARGV[2])
local started, data = now, ARGV[3]
if raw then
  started = cjson.decode(raw)['started_ms']
  if data == '' then data = string.match(raw, '"data":(.*)}$') end
end
if data == '' then data = '{}' end
redis.call('HSET', KEYS[1], ARGV[2], '{"started_ms":' .. started .. ',"seen_ms":' .. now .. ',"data":' .. data .. '}')
return 1
