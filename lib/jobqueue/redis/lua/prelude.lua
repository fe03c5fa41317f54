-- prelude: what all scripts share. The loader puts it in front of each of them (after their flags).
--
-- A job's row is one JSON array in the hash `state`; docs/reference/redis-keys.md explains each place.
-- Functions take key names from their caller, so that every key a script touches stands in its KEYS.

local STATE, FINGERPRINT, PRIORITY, MAX_ATTEMPTS, ENQUEUED, SINCE, ENTRY = 1, 2, 3, 4, 5, 6, 7
local LEASE_NO, ATTEMPT, EXCUSED, LOST, POISONED = 8, 9, 10, 11, 12
local FENCE, PHASE, CONSUMER, STARTED = 13, 14, 15, 16
local ORDER, REVISION = 17, 18 -- of a job never claimed they follow the first seven places
local HOST, SPOOL_ENTRY, KILLED, ALONE = 19, 20, 21, 22 -- stored only when one of them says something
local BATCH, DUE = 7, 8 -- of a staged row

-- A row as a full table; nil when there is none. A job never claimed is stored without its zeros, and one of the
-- version before without order and revision.
local function parse(raw)
  if not raw then return nil end
  local row = cjson.decode(raw)
  local places = #row
  if row[STATE] == 'staged' or places == REVISION or places == ALONE then return row end
  local order, revision = 0, 1
  if places < STARTED then
    if places > ENTRY then order, revision = row[ENTRY + 1], row[ENTRY + 2] end
    row[LEASE_NO], row[ATTEMPT], row[EXCUSED], row[LOST], row[POISONED] = 0, 0, 0, 0, 0
    row[FENCE], row[PHASE], row[CONSUMER], row[STARTED] = '', '', '', 0
  else
    local host, spool_entry, killed, alone = unpack(row, ORDER, ORDER + 3) -- two places further left there
    row[HOST], row[SPOOL_ENTRY], row[KILLED], row[ALONE] = host, spool_entry, killed, alone
  end
  row[ORDER], row[REVISION] = order, revision
  return row
end

-- Write the last four places, nil: as before; or leave them out when none of them says anything.
local function note(row, host, spool_entry, killed, alone)
  host, spool_entry = host or row[HOST] or '', spool_entry or row[SPOOL_ENTRY] or ''
  killed, alone = killed or row[KILLED] or '', alone or row[ALONE] or 0
  if host == '' and killed == '' and alone == 0 then host, spool_entry, killed, alone = nil, nil, nil, nil end
  row[HOST], row[SPOOL_ENTRY], row[KILLED], row[ALONE] = host, spool_entry, killed, alone
end

-- A lease as it is replied; the header of `claim` names the places. What the row leaves out, this does too.
local function lease_of(id, row, expiry)
  return {
    id, row[FENCE], row[ATTEMPT], row[EXCUSED], expiry, row[ENQUEUED], row[HOST], row[SPOOL_ENTRY], row[KILLED], row[ALONE],
    row[REVISION] > 1 and row[REVISION] or nil,
  }
end

local function append_event(key, max, stamp, kind, id, data)
  redis.call('XADD', key, 'MAXLEN', '~', max, stamp, 'kind', kind, 'id', id, 'data', data)
end

local function ring(bell)
  redis.call('XADD', bell, 'MAXLEN', 1, '*', 'r', '')
end

-- The fence is lease number and token, "7:9f2c...": only the job's present lease may write.
local function holds(row, fence)
  return row and row[STATE] == 'running' and row[FENCE] == fence
end

-- A repeat, after a lost reply, of the write that ended this lease.
local function repeats(row, fence, phase)
  return row and row[PHASE] == phase and row[FENCE] == fence
end

-- Finished for longer than records are kept: known no more, though not swept yet.
local function outlived(row, now, ttl)
  local state = row[STATE]
  return (state == 'done' or state == 'failed' or state == 'canceled') and row[SINCE] + ttl <= now
end

-- How many jobs are accepted and not finished, those that other producers are staging included.
local function depth(K)
  return redis.call('HLEN', K.state) - redis.call('HLEN', K.result) - redis.call('HLEN', K.failed)
end

-- Remove all that is kept of finished jobs. K: state, spec, result, failed, history, history_failed, meta.
local function forget(K, ids)
  if #ids == 0 then return end
  local rows = redis.call('HMGET', K.state, unpack(ids))
  for _, raw in ipairs(rows) do
    if raw and parse(raw)[STATE] == 'canceled' then redis.call('HINCRBY', K.meta, 'canceled', -1) end
  end
  redis.call('HDEL', K.state, unpack(ids))
  redis.call('HDEL', K.spec, unpack(ids))
  redis.call('HDEL', K.result, unpack(ids))
  redis.call('HDEL', K.failed, unpack(ids))
  redis.call('ZREM', K.history, unpack(ids))
  redis.call('ZREM', K.history_failed, unpack(ids))
end

-- Retention: forget the oldest records, a few at a time.
local function trim(K, now, ttl, keep, budget)
  forget(K, redis.call('ZRANGEBYSCORE', K.history, '-inf', now - ttl, 'LIMIT', 0, budget))
  local surplus = redis.call('ZCARD', K.history) - keep
  if surplus > 0 then
    forget(K, redis.call('ZRANGE', K.history, 0, math.min(surplus, budget) - 1))
  end
end

-- Retention of the finished revisions that a newer one replaced.
local function trim_revisions(revisions, listed, now, ttl, budget)
  local old = redis.call('ZRANGEBYSCORE', listed, '-inf', now - ttl, 'LIMIT', 0, budget)
  if #old == 0 then return end
  redis.call('HDEL', revisions, unpack(old))
  redis.call('ZREM', listed, unpack(old))
end

-- End a job as failed or canceled. The specification stays, for `retry`. The caller stores the row.
-- K: streams by priority, leases, delayed, failed, history, history_failed, progress, errors, meta.
local function settle_badly(K, group, id, row, state, now, error_json)
  local stream = K[row[PRIORITY]]
  if row[ENTRY] ~= '' then
    redis.call('XACK', stream, group, row[ENTRY])
    redis.call('XDEL', stream, row[ENTRY])
  end
  redis.call('ZREM', K.leases, id)
  redis.call('ZREM', K.delayed, id)
  redis.call('HDEL', K.progress, id)
  redis.call('HDEL', K.errors, id)
  redis.call('HSET', K.failed, id,
    '{"status":"' .. state .. '","finished_ms":' .. now .. ',"error":' .. error_json .. '}')
  redis.call('ZADD', K.history, now, id)
  redis.call('ZADD', K.history_failed, now, id)
  if state == 'canceled' then redis.call('HINCRBY', K.meta, 'canceled', 1) end
  row[STATE], row[SINCE], row[ENTRY] = state, now, ''
  note(row, '', '', '', 0)
end

-- The stored form of a job that was never claimed.
local function new_row(state, fingerprint, priority, max_attempts, now, entry, order)
  return '["' .. state .. '","' .. fingerprint .. '","' .. priority .. '",' .. max_attempts .. ','
    .. now .. ',' .. now .. ',"' .. entry .. '",' .. order .. ',1]'
end

-- A job's row as it is stored: in the short form as long as it was never claimed.
local function stored(row)
  if row[LEASE_NO] > 0 then return cjson.encode(row) end
  return '["' .. row[STATE] .. '","' .. row[FINGERPRINT] .. '","' .. row[PRIORITY] .. '",' .. row[MAX_ATTEMPTS] .. ','
    .. row[ENQUEUED] .. ',' .. row[SINCE] .. ',"' .. row[ENTRY] .. '",' .. row[ORDER] .. ',' .. row[REVISION] .. ']'
end

-- The next numbers of the order of asking, `count` of them; returns the first. They rise by themselves and are never
-- behind the clock: a server that lost its data goes on above what the store of audio has seen.
local function take_orders(meta, now, count)
  local first = math.max((tonumber(redis.call('HGET', meta, 'order')) or 0) + 1, now)
  redis.call('HSET', meta, 'order', first + count - 1)
  return first
end

-- What a staged row means to others: "accepted" (its batch is committed), "busy" (its producer is at work),
-- or "absent" (its producer gave up or died; the batch is marked dead, so that it can never be committed).
local function staged_standing(batches, row, now)
  local raw = redis.call('HGET', batches, row[BATCH])
  if not raw then return 'absent' end
  local batch = cjson.decode(raw)
  if batch[1] == 'committed' then return 'accepted' end
  if batch[1] == 'open' and batch[2] > now then return 'busy' end
  if batch[1] == 'open' then redis.call('HSET', batches, row[BATCH], cjson.encode({ 'dead', now, 0 })) end
  return 'absent'
end
