#!lua flags=allow-oom
-- line: the unfinished jobs of the streams by batch, one stretch of the line at a time. Changes nothing.
--
-- Why a script: a job's batch stands in its specification, which may hold a whole chapter; only counts are replied.
--
-- KEYS[1]  state
-- KEYS[2]  high
-- KEYS[3]  normal
-- KEYS[4]  low
-- KEYS[5]  spec
-- ARGV[1]  where to go on, as an earlier call replied it; empty: at the front
-- ARGV[2]  how many entries to look at
-- ARGV[3]  how many bytes of specifications to look at; one is looked at however long it is
--
-- Returns {where to go on or "" at the end of the line, {batch, waiting, running, ...} by their first jobs}
local number, entry_id = string.match(ARGV[1], '^(%d):(.+)$')
local stream, from = tonumber(number or 2), entry_id and '(' .. entry_id or '-'
local entries_left, bytes_left = tonumber(ARGV[2]), tonumber(ARGV[3])
local counts, order = {}, {}

-- Quotes inside a text are escaped, so a specification without these letters names no batch anywhere.
local function batch_of(id)
  local payload = redis.call('HGET', KEYS[5], id) or ''
  bytes_left = bytes_left - #payload
  if not string.find(payload, '"batch":', 1, true) then return '' end
  -- What cannot be read gives words, which name no batch; the claim of it is who tells.
  local _, spec = pcall(cjson.decode, payload)
  return spec.batch or ''
end

local function count(id)
  -- A damaged row gives words instead of a row: they have no state, and `reconcile` is who tells of it.
  local _, row = pcall(parse, redis.call('HGET', KEYS[1], id))
  local state = row and row[STATE]
  if state ~= 'waiting' and state ~= 'running' then return end
  local batch = batch_of(id)
  if not counts[batch] then
    counts[batch] = { waiting = 0, running = 0 }
    order[#order + 1] = batch
  end
  counts[batch][state] = counts[batch][state] + 1
end

local function reply(behind)
  local flat = {}
  for _, batch in ipairs(order) do
    flat[#flat + 1], flat[#flat + 2], flat[#flat + 3] = batch, counts[batch].waiting, counts[batch].running
  end
  return { behind, flat }
end

for i = 2, 4 do
  if i >= stream then
    for _, entry in ipairs(redis.call('XRANGE', KEYS[i], from, '+', 'COUNT', entries_left)) do
      count(entry[2][2])
      entries_left = entries_left - 1
      if entries_left <= 0 or bytes_left <= 0 then return reply(i .. ':' .. entry[1]) end
    end
    from = '-'
  end
end
return reply('')
