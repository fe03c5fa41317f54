#!lua
-- enqueue: accept up to a few hundred jobs, all or none, once per request id; or make their next revisions.
--
-- Why a script: looking up, comparing and adding must not be split, or two producers both find an id free; and a
-- worker must not finish a job between a look at it and its replacement.
-- Transitions: none -created-> waiting, none -deferred-> delayed, waiting -deferred-> delayed,
--              delayed -due-> waiting, waiting -replaced-> waiting, delayed -replaced-> waiting, running -replaced-> waiting,
--              done -replaced-> waiting, failed -replaced-> waiting, canceled -replaced-> waiting
--
-- KEYS[1]  state
-- KEYS[2]  spec
-- KEYS[3]  high
-- KEYS[4]  normal
-- KEYS[5]  low
-- KEYS[6]  delayed
-- KEYS[7]  events
-- KEYS[8]  meta
-- KEYS[9]  bell
-- KEYS[10] batches
-- KEYS[11] result
-- KEYS[12] failed
-- KEYS[13] history
-- KEYS[14] history_failed
-- KEYS[15] leases
-- KEYS[16] progress
-- KEYS[17] errors
-- KEYS[18] revisions
-- KEYS[19] revisions_history
-- KEYS[20] calls
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  what to do with changed content: "refuse" (nothing at all, for any job), "skip" (nothing for that job), or
--          "replace" (make it the next revision)
-- ARGV[3]  depth limit, jobs
-- ARGV[4]  lifetime of records, ms
-- ARGV[5]  events kept
-- ARGV[6]  consumer group
-- ARGV[7]  token of the call, random; empty: look only, changing nothing
-- ARGV[8]  "1" after a lost reply: the call's place in the order of asking is the one it had
-- ARGV[9]  first of the jobs; per job: request id, fingerprint, priority, max attempts, due ms or "", payload,
--          and to replace: callback_data, JSON
--
-- Returns {verdict, {index, outcome, state, dedup_until ms or "", revision}...} with an item per job that was not
--          created or is delayed, index from 0; verdict "ok", "conflict", "full", "busy" (another producer is staging
--          one of the ids), or "staged" with its batch (which is accepted: publish it, then ask again)
local K = {
  state = KEYS[1], spec = KEYS[2], high = KEYS[3], normal = KEYS[4], low = KEYS[5],
  delayed = KEYS[6], meta = KEYS[8], result = KEYS[11], failed = KEYS[12], history = KEYS[13],
  history_failed = KEYS[14], leases = KEYS[15], progress = KEYS[16], errors = KEYS[17],
}
local events, bell, batches, revisions, revisions_history, calls =
  KEYS[7], KEYS[9], KEYS[10], KEYS[18], KEYS[19], KEYS[20]
local now, stamp = clock(ARGV[1])
local mode, ttl, events_max, group = ARGV[2], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local token, repeated = ARGV[7], ARGV[8] == '1'
local FIRST, WIDTH = 9, mode == 'replace' and 7 or 6
local CALLS_KEPT, TRIMMED_AT_ONCE = 10000, 20
local ENDED = { done = true, failed = true, canceled = true }
local FINGERPRINT_AT, PRIORITY_AT, ATTEMPTS_AT, DUE_AT, PAYLOAD_AT, CALLBACK_AT = 1, 2, 3, 4, 5, 6

local ids = {}
for at = FIRST, #ARGV, WIDTH do ids[#ids + 1] = ARGV[at] end
local rows = redis.call('HMGET', K.state, unpack(ids))
local specs = mode == 'replace' and redis.call('HMGET', K.spec, unpack(ids)) or {}
local new_specs, new_states, due_soon = {}, {}, false

-- Made only for who replaces: a closure costs every call of the others.
local replace, update, callback_changed
if mode == 'replace' then
  -- The record of a finished job goes where its revisions are kept, out of every place of the present one.
  local function archive(id, row)
    local record = redis.call('HGET', row[STATE] == 'done' and K.result or K.failed, id)
    if record then
      local field = row[REVISION] .. ':' .. id
      redis.call('HSET', revisions, field, '[' .. cjson.encode(row) .. ',' .. record .. ']')
      redis.call('ZADD', revisions_history, row[SINCE], field)
    end
    if row[STATE] == 'canceled' then redis.call('HINCRBY', K.meta, 'canceled', -1) end
    redis.call('HDEL', K.result, id)
    redis.call('HDEL', K.failed, id)
    redis.call('ZREM', K.history, id)
    redis.call('ZREM', K.history_failed, id)
  end

  local function leave_stream(id, row)
    if row[ENTRY] ~= '' then
      redis.call('XACK', K[row[PRIORITY]], group, row[ENTRY])
      redis.call('XDEL', K[row[PRIORITY]], row[ENTRY])
      row[ENTRY] = ''
    end
    redis.call('ZREM', K.leases, id)
  end

  -- Give a waiting or delayed job its place again, by the priority and time that it has now.
  local function line_up(id, row, at)
    local due, was = tonumber(ARGV[at + DUE_AT]), row[STATE]
    local later = due and due > now
    if row[ENTRY] ~= '' and not later and row[PRIORITY] == ARGV[at + PRIORITY_AT] then
      return -- it keeps its place
    end
    leave_stream(id, row)
    row[PRIORITY], row[STATE] = ARGV[at + PRIORITY_AT], later and 'delayed' or 'waiting'
    if was == 'waiting' then row[SINCE] = now end -- it waits in another line, or for its time
    if later then
      redis.call('ZADD', K.delayed, due, id)
      due_soon = true
      if was == 'waiting' then append_event(events, events_max, stamp, 'deferred', id, '') end
    else
      row[ENTRY] = redis.call('XADD', K[row[PRIORITY]], '*', 'id', id)
    end
  end

  -- The next revision: a job with nothing behind it but its lease number, which names paths and fences for ever.
  function replace(id, row, at, order)
    if ENDED[row[STATE]] then archive(id, row) end
    if row[STATE] == 'running' then
      leave_stream(id, row)
      ring(bell) -- the worker that holds it may be asleep
    end
    redis.call('ZREM', K.delayed, id)
    redis.call('HDEL', K.progress, id)
    redis.call('HDEL', K.errors, id)
    append_event(events, events_max, stamp, 'replaced', id, '')
    if row[STATE] ~= 'waiting' then row[STATE], row[SINCE] = 'waiting', now end
    row[ENQUEUED] = now
    row[FINGERPRINT], row[MAX_ATTEMPTS] = ARGV[at + FINGERPRINT_AT], tonumber(ARGV[at + ATTEMPTS_AT])
    row[ATTEMPT], row[EXCUSED], row[LOST], row[POISONED] = 0, 0, 0, 0
    row[FENCE], row[PHASE], row[CONSUMER], row[STARTED] = '', '', '', 0
    row[ORDER], row[REVISION] = order, row[REVISION] + 1
    note(row, '', '', '', 0)
    line_up(id, row, at)
    new_specs[#new_specs + 1], new_specs[#new_specs + 2] = id, ARGV[at + PAYLOAD_AT]
  end

  -- The same content with other urgency: nothing is spoken again. A running job goes on as it was leased.
  function update(id, row, at)
    row[MAX_ATTEMPTS] = tonumber(ARGV[at + ATTEMPTS_AT])
    local due = tonumber(ARGV[at + DUE_AT])
    if row[STATE] == 'delayed' and row[ATTEMPT] == 0 and not (due and due > now) then
      redis.call('ZREM', K.delayed, id)
      row[STATE], row[SINCE] = 'waiting', now
      append_event(events, events_max, stamp, 'due', id, '')
    end
    if row[STATE] == 'waiting' or (row[STATE] == 'delayed' and row[ATTEMPT] == 0) then
      line_up(id, row, at)
    elseif row[ENTRY] == '' then
      row[PRIORITY] = ARGV[at + PRIORITY_AT]
    end
    new_specs[#new_specs + 1], new_specs[#new_specs + 2] = id, ARGV[at + PAYLOAD_AT]
  end

  -- What a finished job hands on to its caller is kept beside its result, which stays as it was written.
  function callback_changed(id, at)
    local record, wanted = redis.call('HGET', K.result, id), '"callback_data":' .. ARGV[at + CALLBACK_AT] .. '}'
    if not record or record:sub(-#wanted) == wanted or record:sub(-#wanted - 1) == wanted .. '}' then return nil end
    return record:sub(1, -2) .. ',' .. wanted
  end
end

-- What is to become of each job, before anything is changed.
local reply, plan, expired, conflicts, added = { 'ok' }, {}, {}, 0, 0
for i, raw in ipairs(rows) do
  local at = FIRST + (i - 1) * WIDTH
  local row = parse(raw)
  if row and row[STATE] == 'staged' then
    local standing = staged_standing(batches, row, now)
    if standing == 'busy' then return { 'busy' } end
    if standing == 'accepted' and token ~= '' then return { 'staged', row[BATCH] } end -- its asking counts once it is moved
    if standing == 'accepted' then row[STATE] = row[DUE] ~= '' and 'delayed' or 'waiting' else row = nil end
  elseif row and outlived(row, now, ttl) then
    expired[#expired + 1] = ids[i]
    row = nil
  end
  local item = { at = at, row = row }
  if not row then
    item.outcome, added = 'created', added + 1
    local due = tonumber(ARGV[at + DUE_AT])
    if due and due > now then reply[#reply + 1] = { i - 1, 'created', 'delayed', '', 1 } end
  else
    local ends = ENDED[row[STATE]] and tostring(row[SINCE] + ttl) or ''
    item.outcome = 'duplicate'
    if row[FINGERPRINT] ~= ARGV[at + FINGERPRINT_AT] then
      item.outcome = mode == 'replace' and 'replaced' or 'conflict'
      conflicts = conflicts + 1
      if item.outcome == 'replaced' and ENDED[row[STATE]] then added = added + 1 end
    elseif specs[i] and specs[i] ~= ARGV[at + PAYLOAD_AT] then
      item.outcome = 'updated'
    elseif mode == 'replace' then -- nothing but the record is kept of a job that is done
      item.record = callback_changed(ids[i], at)
      if item.record then item.outcome = 'updated' end
    end
    item.note = { i - 1, item.outcome, row[STATE], ends, row[REVISION] or 1 }
    reply[#reply + 1] = item.note
  end
  plan[i] = item
end

if conflicts > 0 and mode == 'refuse' then reply[1] = 'conflict' end
if reply[1] == 'ok' and added > 0 and depth(K) + added > tonumber(ARGV[3]) then reply[1] = 'full' end
if reply[1] ~= 'ok' or token == '' then return reply end

forget(K, expired)
-- The numbers of this call in the order of asking. A repeat finds those it had among the latest calls.
local order
if repeated then
  for _, entry in ipairs(redis.call('XREVRANGE', calls, '+', '-', 'COUNT', CALLS_KEPT)) do
    if entry[2][2] == token then order = tonumber(entry[2][4]) - 1 break end
  end
end
if not order then
  order = take_orders(K.meta, now, #ids) - 1
  redis.call('XADD', calls, 'MAXLEN', '~', CALLS_KEPT, '*', 'token', token, 'order', order + 1)
end
for i, item in ipairs(plan) do
  local id, row = ids[i], item.row
  if item.outcome == 'created' then
    local at, state, entry = item.at, 'waiting', ''
    local due, priority = tonumber(ARGV[at + DUE_AT]), ARGV[at + PRIORITY_AT]
    if due and due > now then
      state, due_soon = 'delayed', true
      redis.call('ZADD', K.delayed, due, id)
    else
      entry = redis.call('XADD', K[priority], '*', 'id', id)
    end
    new_specs[#new_specs + 1], new_specs[#new_specs + 2] = id, ARGV[at + PAYLOAD_AT]
    new_states[#new_states + 1] = id
    new_states[#new_states + 1] =
      new_row(state, ARGV[at + FINGERPRINT_AT], priority, ARGV[at + ATTEMPTS_AT], now, entry, order + i)
    append_event(events, events_max, stamp, state == 'waiting' and 'created' or 'deferred', id, '')
  elseif item.outcome ~= 'conflict' and row[ORDER] < order + i then -- else a newer call has asked for this job since
    if item.outcome == 'replaced' then replace(id, row, item.at, order + i) end -- its old record keeps its old order
    row[ORDER] = order + i
    if item.record then
      redis.call('HSET', K.result, id, item.record)
    elseif item.outcome == 'updated' then
      update(id, row, item.at)
    end
    new_states[#new_states + 1], new_states[#new_states + 2] = id, stored(row)
    item.note[3], item.note[5] = row[STATE], row[REVISION]
    if not ENDED[row[STATE]] then item.note[4] = '' end
  end
end
if #new_specs > 0 then redis.call('HSET', K.spec, unpack(new_specs)) end
if #new_states > 0 then redis.call('HSET', K.state, unpack(new_states)) end
if due_soon then ring(bell) end
if mode == 'replace' then trim_revisions(revisions, revisions_history, now, ttl, TRIMMED_AT_ONCE) end
return reply
