#!lua flags=allow-oom
-- leave: take names out of the group, and a watcher out of the registry. When it was seen stays known.
--
-- Why a script: removing a consumer drops what is pending for it, so it must hold nothing at that very moment.
--
-- KEYS[1]  watcher
-- KEYS[2]  high
-- KEYS[3]  normal
-- KEYS[4]  low
-- KEYS[5]  meta
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  consumer group
-- ARGV[3]  name; empty: every name that is not in the registry as alive, and was idle for long
-- ARGV[4]  silence after which a watcher counts as gone, ms
-- ARGV[5]  idle time after which an unregistered consumer may be removed, ms
-- ARGV[6]  silence after which a watcher leaves the registry, ms
--
-- Returns how many names were removed from the group
local now, removed = clock(ARGV[1]), 0

-- Out of the registry; the newest sign of life of those that are gone is kept.
local function forget_watcher(name, seen)
  redis.call('HDEL', KEYS[1], name)
  local newest = tonumber(redis.call('HGET', KEYS[5], 'watcher_seen') or 0)
  if seen > newest then redis.call('HSET', KEYS[5], 'watcher_seen', seen) end
end

local registered = redis.call('HGETALL', KEYS[1])
for i = 1, #registered, 2 do
  local name, seen = registered[i], cjson.decode(registered[i + 1])['seen_ms']
  if name == ARGV[3] then
    forget_watcher(name, now) -- it says so itself
  elseif seen + ARGV[6] < now then
    forget_watcher(name, seen)
  end
end

local function removable(consumer)
  if consumer['pending'] > 0 then return false end
  if ARGV[3] ~= '' then return consumer['name'] == ARGV[3] end
  if consumer['idle'] < tonumber(ARGV[5]) then return false end
  local raw = redis.call('HGET', KEYS[1], consumer['name'])
  return not raw or cjson.decode(raw)['seen_ms'] + ARGV[4] < now
end

for i = 2, 4 do
  local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[i], ARGV[2])
  for _, flat in ipairs(consumers.err and {} or consumers) do
    local consumer = {}
    for at = 1, #flat, 2 do consumer[flat[at]] = flat[at + 1] end
    if removable(consumer) then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[i], ARGV[2], consumer['name'])
      removed = removed + 1
    end
  end
end
return removed
