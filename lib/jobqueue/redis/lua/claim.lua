#!lua flags=allow-oom
-- claim: give jobs to a worker, each under a new lease. Due delayed jobs and leases that ran out come first.
--
-- Why a script: an entry delivered but not yet leased would be lost with its worker; here both happen at once.
-- Transitions: delayed -due-> waiting, waiting -claimed-> running, running -reclaimed-> running,
--              running -vanished-> waiting, waiting -vanished-> waiting, running -failed-> failed,
--              waiting -failed-> failed
--
-- KEYS[1]  state
-- KEYS[2]  spec
-- KEYS[3]  high
-- KEYS[4]  normal
-- KEYS[5]  low
-- KEYS[6]  leases
-- KEYS[7]  delayed
-- KEYS[8]  events
-- KEYS[9]  meta
-- KEYS[10] bell
-- KEYS[11] batches
-- KEYS[12] failed
-- KEYS[13] history
-- KEYS[14] history_failed
-- KEYS[15] progress
-- KEYS[16] errors
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  consumer group
-- ARGV[3]  consumer
-- ARGV[4]  how many, at most 500
-- ARGV[5]  lease, ms
-- ARGV[6]  token, random for each call
-- ARGV[7]  events kept
-- ARGV[8]  lost leases after which a job counts as poison
-- ARGV[9]  "1" after a lost reply: give again what the call with this token leased
--
-- Returns {leases, {payload of each, "" for a job that had none and failed}, wait ms or -1,
--          {last ids of high, normal, low, bell}, {batches to look after}};
--          leases are JSON: [[request id, fence, attempt, excused, expiry ms, enqueued ms, and when one of them says
--          something: host, spool entry, [hosts it killed workers on] or "", 1 to run it singly, revision]...];
--          the wait is until the next lease runs out or the next delayed job is due
local K = {
  high = KEYS[3], normal = KEYS[4], low = KEYS[5], leases = KEYS[6], delayed = KEYS[7], meta = KEYS[9],
  failed = KEYS[12], history = KEYS[13], history_failed = KEYS[14], progress = KEYS[15], errors = KEYS[16],
}
local rows_key, specs_key, bell, batches_key = KEYS[1], KEYS[2], KEYS[10], KEYS[11]
local now, stamp = clock(ARGV[1])
local group, consumer = ARGV[2], ARGV[3]
local want, expiry, token = tonumber(ARGV[4]), now + ARGV[5], ARGV[6]
local events, events_max, lost_limit = KEYS[8], ARGV[7], tonumber(ARGV[8])
local PROMOTED_AT_ONCE, ROUNDS, NAMES = 100, 100, { 'high', 'normal', 'low' }
local leased, states, scores = {}, {}, {}
local consumer_json = cjson.encode(consumer)
local paused, turn = unpack(redis.call('HMGET', K.meta, 'paused', 'turn'))
turn = tonumber(turn or 0)

local function event(kind, id, data)
  append_event(events, events_max, stamp, kind, id, data)
end

local function store(id, row)
  redis.call('HSET', rows_key, id, cjson.encode(row))
end

-- Delayed jobs whose time has come go to the end of their stream.
local function promote_due_jobs()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', K.delayed, '-inf', now, 'LIMIT', 0, PROMOTED_AT_ONCE)) do
    redis.call('ZREM', K.delayed, id)
    local row = parse(redis.call('HGET', rows_key, id))
    if row and row[STATE] == 'delayed' then
      row[ENTRY] = redis.call('XADD', K[row[PRIORITY]], '*', 'id', id)
      row[STATE], row[SINCE] = 'waiting', now
      store(id, row)
      event('due', id, '')
    end
  end
end

local function lease(id, row, kind)
  row[STATE], row[SINCE], row[PHASE], row[CONSUMER] = 'running', now, 'leased', consumer
  local lease_no = row[LEASE_NO] + 1
  row[LEASE_NO], row[FENCE] = lease_no, lease_no .. ':' .. token .. '.' .. #leased
  leased[#leased + 1] = lease_of(id, row, expiry)
  states[#states + 1], states[#states + 2] = id, cjson.encode(row)
  scores[#scores + 1], scores[#scores + 2] = expiry, id
  event(kind, id, '{"lease_no":' .. lease_no .. ',"consumer":' .. consumer_json .. '}')
end

local function give_up(id, row, class, message)
  settle_badly(K, group, id, row, 'failed', now, cjson.encode({ class = class, message = message }))
  store(id, row)
  event('failed', id, '{"class":"' .. class .. '"}')
end

-- A lease that ran out (or was handed back, score 0) goes to this worker.
local function take_back(id)
  local row = parse(redis.call('HGET', rows_key, id))
  if not row or (row[STATE] ~= 'running' and row[STATE] ~= 'waiting') then
    redis.call('ZREM', K.leases, id)
    return
  end
  local kind = row[STATE] == 'running' and 'reclaimed' or 'claimed'
  if kind == 'reclaimed' and row[PHASE] == 'begun' then
    row[LOST], row[EXCUSED] = row[LOST] + 1, row[EXCUSED] + 1
  end
  if row[LOST] >= lost_limit then
    give_up(id, row, 'poison', row[LOST] .. ' workers were lost while working on it; the last was ' .. row[CONSUMER])
    return
  end
  -- pcall: without the stream or its group the server refuses, which is an answer without entries
  local claimed = redis.pcall('XCLAIM', K[row[PRIORITY]], group, consumer, 0, row[ENTRY], 'JUSTID')
  if #claimed > 0 then
    lease(id, row, kind)
  else -- its entry, group or stream is gone (data loss): the row is the truth, so it gets a new entry
    redis.call('ZREM', K.leases, id)
    row[ENTRY] = redis.call('XADD', K[row[PRIORITY]], '*', 'id', id)
    row[STATE], row[SINCE] = 'waiting', now
    note(row, '', '')
    store(id, row)
    event('vanished', id, '')
  end
end

local function read_stream(stream, count)
  local args = { 'XREADGROUP', 'GROUP', group, consumer, 'COUNT', count, 'STREAMS', stream, '>' }
  local reply = redis.pcall(unpack(args))
  if reply and reply.err then
    -- no group yet, or it was flushed; from 0, so that nothing enqueued before is passed over
    redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
    reply = redis.call(unpack(args))
  end
  return reply and reply[1][2] or {}
end

-- Lease what was read; returns how many entries there were, strays included.
local function take_new(stream, count)
  local entries = read_stream(stream, count)
  if #entries == 0 then return 0 end
  local ids = {}
  for i, entry in ipairs(entries) do ids[i] = entry[2][2] end
  local rows = redis.call('HMGET', rows_key, unpack(ids))
  for i, entry in ipairs(entries) do
    local row = parse(rows[i])
    local own = row and row[ENTRY] == entry[1]
    if own and row[STATE] == 'waiting' then
      lease(ids[i], row, 'claimed')
    elseif not own then -- left over; the job has gone on without this entry
      redis.call('XACK', stream, group, entry[1])
      redis.call('XDEL', stream, entry[1])
    end
  end
  return #entries
end

-- Six turns of ten look at high first, three at normal, one at low: none starves, order within each is kept.
local function take_by_turns()
  local quota = { high = 0, normal = 0, low = 0 }
  local before = #leased
  for t = turn, turn + want - before - 1 do
    local slot = t % 10
    local name = slot < 6 and 'high' or slot < 9 and 'normal' or 'low'
    quota[name] = quota[name] + 1
  end
  local dry = {} -- gave less than it was asked for: nothing more is there
  for _, name in ipairs(NAMES) do
    if quota[name] > 0 then dry[name] = take_new(K[name], quota[name]) < quota[name] end
  end
  for _, name in ipairs(NAMES) do
    local rounds = 0 -- strays are read and dropped, so one read may not be enough
    while not dry[name] and #leased < want and rounds < ROUNDS do
      local missing_now = want - #leased
      dry[name] = take_new(K[name], missing_now) < missing_now
      rounds = rounds + 1
    end
  end
  -- idle workers ask for ever; only a turn that was used is written down
  if #leased > before then redis.call('HINCRBY', K.meta, 'turn', #leased - before) end
end

-- What a call with this token had leased before its reply was lost.
local function give_again()
  for _, name in ipairs(NAMES) do
    local pending = redis.pcall('XPENDING', K[name], group, '-', '+', 1000, consumer)
    if pending.err then pending = {} end
    for _, item in ipairs(pending) do
      local entry = redis.call('XRANGE', K[name], item[1], item[1])[1]
      local id = entry and entry[2][2]
      local row = id and parse(redis.call('HGET', rows_key, id))
      if row and row[STATE] == 'running' and string.find(row[FENCE], ':' .. token .. '.', 1, true) then
        local known = tonumber(redis.call('ZSCORE', K.leases, id) or now)
        leased[#leased + 1] = lease_of(id, row, known)
      end
    end
  end
end

-- The specifications; a job without one cannot be worked on.
local function payloads()
  local ids = {}
  for i, item in ipairs(leased) do ids[i] = item[1] end
  local found = redis.call('HMGET', specs_key, unpack(ids))
  for i, payload in ipairs(found) do
    if not payload then
      local row = parse(redis.call('HGET', rows_key, ids[i]))
      give_up(ids[i], row, 'bad_input', 'its specification is missing from the server')
      found[i] = ''
    end
  end
  return found
end

local function newest(stream)
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  return last and last[1] or '0-0'
end

-- How long a worker with nothing to do may sleep, and what wakes it before.
local function idle_reply(wait, care)
  for _, key in ipairs({ K.leases, K.delayed }) do
    local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    if first[2] then
      local left = math.max(0, first[2] - now)
      if wait < 0 or left < wait then wait = left end
    end
  end
  return { '[]', {}, wait, { newest(K.high), newest(K.normal), newest(K.low), newest(bell) }, care }
end

-- Batches whose producer died in the middle: to be published, or discarded.
local function batches_in_need()
  local care, all = {}, redis.call('HGETALL', batches_key)
  for i = 1, #all, 2 do
    local batch = cjson.decode(all[i + 1])
    if batch[2] <= now then care[#care + 1] = { all[i], batch[1] } end
  end
  return care
end

if ARGV[9] == '1' then give_again() end
if #leased == 0 then
  if paused then
    return {
      '[]', {}, -1, { newest(K.high), newest(K.normal), newest(K.low), newest(bell) }, batches_in_need(),
    }
  end
  promote_due_jobs()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', K.leases, '-inf', now, 'LIMIT', 0, want)) do take_back(id) end
  take_by_turns() -- takes none when nothing is wanted any more
  if #leased == 0 then return idle_reply(-1, batches_in_need()) end
  redis.call('HSET', rows_key, unpack(states))
  redis.call('ZADD', K.leases, unpack(scores))
end
-- while there is work, batches are looked after once in ten turns: looking costs time at each claim
return { cjson.encode(leased), payloads(), 0, {}, turn % 10 + want >= 10 and batches_in_need() or {} }
