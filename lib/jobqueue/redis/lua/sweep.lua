#!lua flags=allow-oom
-- sweep: the slow safety net. Look at some pending entries after where the last look ended, mend what only a
-- loss of data or a hand on the keys can have broken, and forget some records whose time is over.
--
-- Why a script: between looking and mending, a worker could renew, finish or be given the job.
--
-- KEYS[1]  state
-- KEYS[2]  high
-- KEYS[3]  normal
-- KEYS[4]  low
-- KEYS[5]  leases
-- KEYS[6]  meta
-- KEYS[7]  spec
-- KEYS[8]  result
-- KEYS[9]  failed
-- KEYS[10] history
-- KEYS[11] history_failed
-- KEYS[12] bell
-- KEYS[13] revisions
-- KEYS[14] revisions_history
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  consumer group
-- ARGV[3]  how many entries of each stream, and how many records
-- ARGV[4]  lifetime of records, ms
-- ARGV[5]  records kept
--
-- Returns {jobs given out again, entries removed that were nobody's}
local K = {
  state = KEYS[1], spec = KEYS[7], result = KEYS[8], failed = KEYS[9], history = KEYS[10],
  history_failed = KEYS[11], meta = KEYS[6],
}
local now, group, count = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local given, removed = 0, 0

-- Where the look at this stream goes on: the cursor is kept, or what stands behind many live leases is never seen.
local function pending(stream, cursor)
  local from = redis.call('HGET', K.meta, cursor) or '-'
  -- pcall: without its group the server refuses, which is an answer without entries
  local found = redis.pcall('XPENDING', stream, group, from, '+', count)
  if #found < count then
    redis.call('HDEL', K.meta, cursor)
  else
    redis.call('HSET', K.meta, cursor, '(' .. found[#found][1])
  end
  return found
end

local function mend(stream, entry_id)
  local entry = redis.call('XRANGE', stream, entry_id, entry_id)[1]
  local id = entry and entry[2][2]
  local row = id and parse(redis.call('HGET', K.state, id))
  if not row or row[ENTRY] ~= entry_id then
    redis.call('XACK', stream, group, entry_id)
    redis.call('XDEL', stream, entry_id)
    removed = removed + 1
  elseif not redis.call('ZSCORE', KEYS[5], id) then -- no lease, so nobody would ever take it back
    redis.call('ZADD', KEYS[5], row[STATE] == 'waiting' and 0 or now, id)
    given = given + 1
  end
end

for i = 2, 4 do
  for _, item in ipairs(pending(KEYS[i], 'sweep' .. i)) do mend(KEYS[i], item[1]) end
end
if given > 0 then ring(KEYS[12]) end
trim(K, now, tonumber(ARGV[4]), tonumber(ARGV[5]), count)
trim_revisions(KEYS[13], KEYS[14], now, tonumber(ARGV[4]), count)
return { given, removed }
