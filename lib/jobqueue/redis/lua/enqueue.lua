#!lua
-- enqueue: accept up to a few hundred jobs, all or none, once per request id.
--
-- Why a script: looking up, comparing and adding must not be split, or two producers both find an id free.
-- Transitions: none -created-> waiting, none -deferred-> delayed
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
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  mode: "all" (none when one conflicts), "skip" (all but the conflicting); "dry", "dry-skip":
--          the same, changing nothing
-- ARGV[3]  depth limit, jobs
-- ARGV[4]  lifetime of records, ms
-- ARGV[5]  events kept
-- ARGV[6]  first of the jobs; per job: request id, fingerprint, priority, max attempts, due ms or "", payload
--
-- Returns {verdict, {index, outcome, state, dedup_until ms or ""}...} with an item per job that was not created
--          or is delayed, index from 0; verdict "ok", "conflict", "full", or "busy" (another producer is staging one of the ids)
local K = {
  state = KEYS[1], spec = KEYS[2], high = KEYS[3], normal = KEYS[4], low = KEYS[5],
  delayed = KEYS[6], meta = KEYS[8], result = KEYS[11], failed = KEYS[12], history = KEYS[13],
  history_failed = KEYS[14],
}
local events, bell, batches = KEYS[7], KEYS[9], KEYS[10]
local now, stamp = clock(ARGV[1])
local mode, ttl, events_max = ARGV[2], tonumber(ARGV[4]), ARGV[5]
local FIRST, WIDTH = 6, 6

local ids = {}
for at = FIRST, #ARGV, WIDTH do ids[#ids + 1] = ARGV[at] end
local rows = redis.call('HMGET', K.state, unpack(ids))

local reply, created, expired, conflicts = { 'ok' }, {}, {}, 0
for i, raw in ipairs(rows) do
  local at = FIRST + (i - 1) * WIDTH
  local row = parse(raw)
  if row and row[STATE] == 'staged' then
    local standing = staged_standing(batches, row, now)
    if standing == 'busy' then return { 'busy' } end
    if standing == 'absent' then
      row = nil
    else
      row[STATE] = row[DUE] ~= '' and 'delayed' or 'waiting'
    end
  elseif row and outlived(row, now, ttl) then
    expired[#expired + 1] = ids[i]
    row = nil
  end
  if not row then
    created[#created + 1] = at
    local due = tonumber(ARGV[at + 4])
    if due and due > now then reply[#reply + 1] = { i - 1, 'created', 'delayed', '' } end
  else
    local ends = row[SINCE] + ttl
    if row[STATE] ~= 'done' and row[STATE] ~= 'failed' and row[STATE] ~= 'canceled' then ends = '' end
    local outcome = 'duplicate'
    if row[FINGERPRINT] ~= ARGV[at + 1] then
      outcome = 'conflict'
      conflicts = conflicts + 1
    end
    reply[#reply + 1] = { i - 1, outcome, row[STATE], tostring(ends) }
  end
end

if conflicts > 0 and mode ~= 'skip' and mode ~= 'dry-skip' then reply[1] = 'conflict' end
if reply[1] == 'ok' and #created > 0 and depth(K) + #created > tonumber(ARGV[3]) then reply[1] = 'full' end
if reply[1] ~= 'ok' or mode == 'dry' or mode == 'dry-skip' or #created == 0 then return reply end

forget(K, expired)
local specs, states, due_soon = {}, {}, false
for n, at in ipairs(created) do
  local id, due = ARGV[at], tonumber(ARGV[at + 4])
  local state, entry = 'waiting', ''
  if due and due > now then
    state, due_soon = 'delayed', true
    redis.call('ZADD', K.delayed, due, id)
  else
    entry = redis.call('XADD', K[ARGV[at + 2]], '*', 'id', id)
  end
  specs[2 * n - 1], specs[2 * n] = id, ARGV[at + 5]
  states[2 * n - 1] = id
  states[2 * n] = new_row(state, ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], now, entry)
  append_event(events, events_max, stamp, state == 'waiting' and 'created' or 'deferred', id, '')
end
redis.call('HSET', K.spec, unpack(specs))
redis.call('HSET', K.state, unpack(states))
if due_soon then ring(bell) end
return reply
