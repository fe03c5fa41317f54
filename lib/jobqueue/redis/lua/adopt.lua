#!lua flags=allow-oom
-- adopt: give running jobs whose work lies on some hosts to a new leader, without waiting for their leases to end.
--
-- Why a script: only the leader may take work from another, and it may stop being one at any moment; so that the
-- look at the lock and the new lease are one step. The old holder's fence fits nothing from then on.
-- Transitions: running -adopted-> running
--
-- KEYS[1]  state
-- KEYS[2]  spec
-- KEYS[3]  high
-- KEYS[4]  normal
-- KEYS[5]  low
-- KEYS[6]  leases
-- KEYS[7]  events
-- KEYS[8]  lock
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  consumer group
-- ARGV[3]  consumer, who leads
-- ARGV[4]  epoch given by lock_acquire
-- ARGV[5]  token given to lock_acquire
-- ARGV[6]  lease, ms
-- ARGV[7]  token of the leases, new for each call but the same in a repeat after a lost reply
-- ARGV[8]  events kept
-- ARGV[9]  hosts, JSON
-- ARGV[10] first of the request ids to look at, at most 500
--
-- Returns {1, leases as `claim` replies them, {payload of each}}; a repeat gives the same ones again
--         {0, "[]", {}}  the caller does not lead; nothing was changed
local now, stamp = clock(ARGV[1])
local held = redis.call('HMGET', KEYS[8], 'token', 'epoch', 'expires_ms')
if held[1] ~= ARGV[5] or held[2] ~= ARGV[4] or tonumber(held[3]) <= now then return { 0, '[]', {} } end

local streams = { high = KEYS[3], normal = KEYS[4], low = KEYS[5] }
local group, consumer, expiry, token = ARGV[2], ARGV[3], now + ARGV[6], ARGV[7]
local consumer_json = cjson.encode(consumer)
local leased, payloads, ids, wanted = {}, {}, {}, {}
for _, host in ipairs(cjson.decode(ARGV[9])) do wanted[host] = true end
for at = 10, #ARGV do ids[#ids + 1] = ARGV[at] end
local specs = redis.call('HMGET', KEYS[2], unpack(ids))

local function reply(id, row, payload)
  leased[#leased + 1], payloads[#payloads + 1] = lease_of(id, row, expiry), payload
end

-- Its phase stays: an attempt that began goes on.
local function take(id, row)
  local lease_no = row[LEASE_NO] + 1
  row[LEASE_NO], row[FENCE], row[CONSUMER] = lease_no, lease_no .. ':' .. token .. '.' .. #leased, consumer
  redis.call('HSET', KEYS[1], id, cjson.encode(row))
  redis.call('ZADD', KEYS[6], expiry, id)
  -- pcall, and no look at the answer: an entry that is lost is for whoever takes the lease back
  redis.pcall('XCLAIM', streams[row[PRIORITY]], group, consumer, 0, row[ENTRY], 'JUSTID')
  append_event(KEYS[7], ARGV[8], stamp, 'adopted', id,
    '{"lease_no":' .. lease_no .. ',"consumer":' .. consumer_json .. '}')
end

for i, raw in ipairs(redis.call('HMGET', KEYS[1], unpack(ids))) do
  local row = parse(raw)
  -- a job without its specification cannot be worked on: claim fails it when its lease is over
  if row and row[STATE] == 'running' and wanted[row[HOST]] and specs[i] then
    if row[CONSUMER] ~= consumer then
      take(ids[i], row)
      reply(ids[i], row, specs[i])
    elseif string.find(row[FENCE], ':' .. token .. '.', 1, true) then -- by this call, whose reply was lost
      reply(ids[i], row, specs[i])
    end
  end
end
return { 1, #leased > 0 and cjson.encode(leased) or '[]', payloads }
