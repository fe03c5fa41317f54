#!lua flags=allow-oom
-- fail: record that work on a job failed, and send it where its class of failure says.
--
-- Why a script: a late worker's failure must not end, delay or count against the new owner's work.
-- Transitions: running -retrying-> delayed, running -lost-> waiting, running -failed-> failed,
--              running -canceled-> canceled
--
-- KEYS[1]  state
-- KEYS[2]  spec
-- KEYS[3]  high
-- KEYS[4]  normal
-- KEYS[5]  low
-- KEYS[6]  leases
-- KEYS[7]  delayed
-- KEYS[8]  result
-- KEYS[9]  failed
-- KEYS[10] history
-- KEYS[11] history_failed
-- KEYS[12] events
-- KEYS[13] meta
-- KEYS[14] progress
-- KEYS[15] errors
-- KEYS[16] bell
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  consumer group
-- ARGV[3]  events kept
-- ARGV[4]  lifetime of records, ms
-- ARGV[5]  records kept
-- ARGV[6]  request id
-- ARGV[7]  fence
-- ARGV[8]  class: "bad_input", "transient", "lost_machine", "poison", "canceled"
-- ARGV[9]  error, JSON: {"class", "message", "evidence"}
-- ARGV[10] backoff, ms, should the job be tried again
-- ARGV[11] killed workers after which a job is poison
-- ARGV[12] lost machines after which a job is given up
-- ARGV[13] the host it failed on, "" when that is not known
-- ARGV[14] how many hosts there were to try it on
--
-- Returns the state the job is in now; "lost" when the lease is not the job's any more
local K = {
  state = KEYS[1], spec = KEYS[2], high = KEYS[3], normal = KEYS[4], low = KEYS[5], leases = KEYS[6],
  delayed = KEYS[7], result = KEYS[8], failed = KEYS[9], history = KEYS[10], history_failed = KEYS[11],
  meta = KEYS[13], progress = KEYS[14], errors = KEYS[15],
}
local now, stamp = clock(ARGV[1])
local group, id, fence, class, error_json = ARGV[2], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local row = parse(redis.call('HGET', K.state, id))
if not holds(row, fence) then
  if repeats(row, fence, 'failed') then return row[STATE] end
  return 'lost'
end

-- How many hosts its workers died on, this one included. The row has the place only if there are some: what else
-- could be in the last places is cleared before.
local function hosts_killed(host)
  local killed = row[KILLED] or {}
  for _, known in ipairs(killed) do
    if known == host then return #killed end
  end
  if host ~= '' then killed[#killed + 1] = host end
  if #killed > 0 then note(row, nil, nil, killed) end
  return #killed
end

local begun = row[PHASE] == 'begun'
if not begun and class ~= 'lost_machine' and class ~= 'canceled' then row[ATTEMPT] = row[ATTEMPT] + 1 end
row[PHASE] = 'failed'
note(row, '', '', nil, 0)
local killed = 0
if class == 'lost_machine' and begun then
  row[LOST], row[EXCUSED] = row[LOST] + 1, row[EXCUSED] + 1
elseif class == 'poison' then
  row[POISONED] = row[POISONED] + 1
  killed = hosts_killed(ARGV[13])
end

-- Killed enough workers; on two hosts where there are two, unless it killed twice as many.
local function is_poison()
  local limit, hosts = tonumber(ARGV[11]), tonumber(ARGV[14])
  return row[POISONED] >= (killed < 2 and hosts > 1 and 2 * limit or limit)
end

local function next_step()
  if class == 'canceled' then return 'canceled' end
  if class == 'bad_input' then return 'failed' end
  if class == 'lost_machine' then return row[LOST] >= tonumber(ARGV[12]) and 'failed' or 'waiting' end
  if class == 'poison' and is_poison() then return 'failed' end
  return row[ATTEMPT] - row[EXCUSED] >= row[MAX_ATTEMPTS] and 'failed' or 'delayed'
end

local kinds = { canceled = 'canceled', failed = 'failed', waiting = 'lost', delayed = 'retrying' }
local step = next_step()
local data = '{"class":"' .. class .. '"}'
if step == 'failed' or step == 'canceled' then
  settle_badly(K, group, id, row, step, now, error_json)
else
  redis.call('HSET', K.errors, id, error_json)
  redis.call('HDEL', K.progress, id)
  row[STATE], row[SINCE] = step, now
  if step == 'waiting' then -- its entry stays; score 0 means: give it to whoever asks first
    redis.call('ZADD', K.leases, 0, id)
  else
    local due = now + tonumber(ARGV[10])
    redis.call('ZREM', K.leases, id)
    redis.call('XACK', K[row[PRIORITY]], group, row[ENTRY])
    redis.call('XDEL', K[row[PRIORITY]], row[ENTRY])
    redis.call('ZADD', K.delayed, due, id)
    row[ENTRY] = ''
    data = '{"class":"' .. class .. '","due_ms":' .. due .. '}'
  end
  ring(KEYS[16])
end
redis.call('HSET', K.state, id, cjson.encode(row))
append_event(KEYS[12], ARGV[3], stamp, kinds[step], id, data)
trim(K, now, tonumber(ARGV[4]), tonumber(ARGV[5]), 4)
return step
