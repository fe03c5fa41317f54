#!lua flags=allow-oom
-- repair: hold jobs against every key that speaks of them; mend what does not fit, if asked to.
--
-- Why a script: read one by one, a job that moves meanwhile looks broken; and a mend must see what it mends.
-- The row is the truth: what contradicts it goes, what it needs is made anew.
-- Transitions: waiting -vanished-> waiting, delayed -due-> waiting, waiting -failed-> failed,
--              running -failed-> failed
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
-- KEYS[12] progress
-- KEYS[13] errors
-- KEYS[14] events
-- KEYS[15] meta
-- KEYS[16] bell
-- KEYS[17] batches
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  consumer group
-- ARGV[3]  events kept
-- ARGV[4]  "1": mend; "0": look only
-- ARGV[5]  first of the request ids, at most 200
--
-- Returns {{request id, what does not fit}...}; the words are those of lib/jobqueue/redis/upkeep.py
local K = {
  state = KEYS[1], spec = KEYS[2], high = KEYS[3], normal = KEYS[4], low = KEYS[5], leases = KEYS[6],
  delayed = KEYS[7], result = KEYS[8], failed = KEYS[9], history = KEYS[10], history_failed = KEYS[11],
  progress = KEYS[12], errors = KEYS[13], meta = KEYS[15], batches = KEYS[17],
}
local now, stamp = clock(ARGV[1])
local group, mend = ARGV[2], ARGV[4] == '1'
local reply, delivered = {}, {}

local function found(id, what)
  reply[#reply + 1] = { id, what }
  return mend
end

local function event(kind, id, data)
  append_event(KEYS[14], ARGV[3], stamp, kind, id, data)
end

local function store(id, row)
  redis.call('HSET', K.state, id, cjson.encode(row))
end

-- The newest entry of a stream that the group has given out; false when there is no group yet.
local function last_delivered(name)
  if delivered[name] == nil then
    delivered[name] = false
    local groups = redis.pcall('XINFO', 'GROUPS', K[name])
    for _, flat in ipairs(groups.err and {} or groups) do
      local fields = {}
      for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
      if fields['name'] == group then delivered[name] = fields['last-delivered-id'] end
    end
  end
  return delivered[name]
end

local function after(entry, other)
  local ms, number = string.match(entry, '(%d+)-(%d+)')
  local other_ms, other_number = string.match(other, '(%d+)-(%d+)')
  if ms ~= other_ms then return tonumber(ms) > tonumber(other_ms) end
  return tonumber(number) > tonumber(other_number)
end

-- Whose the row's entry is: "own", "none" (not there), or "other" (a stream that was lost and made anew in the
-- same millisecond gives the same ids again).
local function whose(id, row)
  local there = row[ENTRY] ~= '' and redis.call('XRANGE', K[row[PRIORITY]], row[ENTRY], row[ENTRY])[1]
  if not there then return 'none' end
  return there[2][2] == id and 'own' or 'other'
end

-- Whether the job's entry is in its stream, and whether it is given out.
local function entry_of(id, row)
  if whose(id, row) ~= 'own' then return false, false end
  -- pcall: without its group the server refuses, which is an answer without entries
  local pending = redis.pcall('XPENDING', K[row[PRIORITY]], group, row[ENTRY], row[ENTRY], 1)
  return true, #pending > 0
end

local function drop_entry(id, row)
  if row[ENTRY] ~= '' and whose(id, row) ~= 'other' then
    redis.call('XACK', K[row[PRIORITY]], group, row[ENTRY])
    redis.call('XDEL', K[row[PRIORITY]], row[ENTRY])
  end
end

local function check_waiting(id, row)
  local there, pending = entry_of(id, row)
  local leased = redis.call('ZSCORE', K.leases, id)
  local last = last_delivered(row[PRIORITY])
  local handed_back = pending and leased
  local ahead = there and not leased and (not last or after(row[ENTRY], last))
  if not (handed_back or ahead) and found(id, 'unreachable') then
    drop_entry(id, row)
    redis.call('ZREM', K.leases, id)
    row[ENTRY] = redis.call('XADD', K[row[PRIORITY]], '*', 'id', id)
    row[SINCE] = now
    store(id, row)
    event('vanished', id, '')
  end
end

local function check_running(id, row)
  if not redis.call('ZSCORE', K.leases, id) and found(id, 'unleased') then
    redis.call('ZADD', K.leases, now, id) -- run out: whoever asks next takes it back
  end
  local there, pending = entry_of(id, row)
  if not pending and found(id, 'undelivered') then
    local stream = K[row[PRIORITY]]
    if not there then
      drop_entry(id, row)
      row[ENTRY] = redis.call('XADD', stream, '*', 'id', id)
      store(id, row)
    end
    if not last_delivered(row[PRIORITY]) then
      redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
      delivered[row[PRIORITY]] = '0-0'
    end
    redis.call('XCLAIM', stream, group, row[CONSUMER], 0, row[ENTRY], 'FORCE', 'JUSTID')
  end
end

local function check_delayed(id)
  if not redis.call('ZSCORE', K.delayed, id) and found(id, 'undue') then
    local wanted = tonumber(cjson.decode(redis.call('HGET', K.spec, id)).not_before)
    redis.call('ZADD', K.delayed, wanted and math.max(now, wanted * 1000) or now, id)
    ring(KEYS[16])
  end
end

-- Nobody can work on a job whose specification is gone; claim would find out, and fail it the same way.
local function fail_without_spec(id, row)
  if row[STATE] == 'delayed' then event('due', id, '') end -- only what waits or runs can fail
  if whose(id, row) == 'other' then row[ENTRY] = '' end
  local message = 'its specification is missing from the server'
  settle_badly(K, group, id, row, 'failed', now, cjson.encode({ class = 'bad_input', message = message }))
  row[PHASE] = ''
  store(id, row)
  event('failed', id, '{"class":"bad_input"}')
end

local function check_finished(id, row)
  local bad = row[STATE] ~= 'done'
  if redis.call('HEXISTS', bad and K.failed or K.result, id) == 0 then
    if found(id, 'unrecorded') then
      forget(K, { id })
      return nil
    end
  elseif not redis.call('ZSCORE', K.history, id) or (bad and not redis.call('ZSCORE', K.history_failed, id)) then
    if found(id, 'unlisted') then
      redis.call('ZADD', K.history, row[SINCE], id)
      if bad then redis.call('ZADD', K.history_failed, row[SINCE], id) end
    end
  end
  return row[STATE]
end

-- What speaks of a job that is elsewhere, or of none.
local function check_strays(id, state)
  local bad = state == 'failed' or state == 'canceled'
  local open = state == 'waiting' or state == 'running' or state == 'delayed'
  if state ~= 'waiting' and state ~= 'running' and redis.call('ZSCORE', K.leases, id) and found(id, 'stray_lease') then
    redis.call('ZREM', K.leases, id)
  end
  if state ~= 'delayed' and redis.call('ZSCORE', K.delayed, id) and found(id, 'stray_delay') then
    redis.call('ZREM', K.delayed, id)
  end
  local result = state ~= 'done' and redis.call('HEXISTS', K.result, id) == 1
  local failed = not bad and redis.call('HEXISTS', K.failed, id) == 1
  if (result or failed) and found(id, 'stray_record') then
    if result then redis.call('HDEL', K.result, id) end
    if failed then redis.call('HDEL', K.failed, id) end
  end
  local listed = state ~= 'done' and not bad and redis.call('ZSCORE', K.history, id)
  local listed_bad = not bad and redis.call('ZSCORE', K.history_failed, id)
  if (listed or listed_bad) and found(id, 'stray_listing') then
    if listed then redis.call('ZREM', K.history, id) end
    redis.call('ZREM', K.history_failed, id)
  end
  if not open and not bad and redis.call('HEXISTS', K.spec, id) == 1 and found(id, 'stray_spec') then
    redis.call('HDEL', K.spec, id)
  end
  local progress = state ~= 'running' and redis.call('HEXISTS', K.progress, id) == 1
  local problem = not open and redis.call('HEXISTS', K.errors, id) == 1
  if (progress or problem) and found(id, 'stray_note') then
    redis.call('HDEL', K.progress, id)
    if problem then redis.call('HDEL', K.errors, id) end
  end
end

local function check(id)
  local row = parse(redis.call('HGET', K.state, id))
  local state = row and row[STATE]
  if state == 'staged' then
    if redis.call('HEXISTS', K.batches, row[BATCH]) == 0 and found(id, 'unbatched') then
      redis.call('HDEL', K.state, id)
      redis.call('HDEL', K.spec, id)
    end
    return
  end
  if state == 'done' or state == 'failed' or state == 'canceled' then
    state = check_finished(id, row)
  elseif row and redis.call('HEXISTS', K.spec, id) == 0 then
    if found(id, 'unspecified') then
      fail_without_spec(id, row)
      state = 'failed'
    end
  elseif state == 'waiting' then
    check_waiting(id, row)
  elseif state == 'running' then
    check_running(id, row)
  elseif state == 'delayed' then
    check_delayed(id)
  end
  check_strays(id, state)
end

for at = 5, #ARGV do check(ARGV[at]) end
return reply
