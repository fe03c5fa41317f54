#!lua flags=allow-oom
-- excuse: a host turned out to be why a worker died there; the job is not to blame for that death.
--
-- Why a script: the job may be claimed, fail or end meanwhile, and each death is taken back once.
-- Transitions: waiting -excused-> waiting, delayed -excused-> delayed, running -excused-> running
--
-- KEYS[1]  state
-- KEYS[2]  events
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  events kept
-- ARGV[3]  request id
-- ARGV[4]  host
-- ARGV[5]  data of the event, JSON
--
-- Returns  1  excused
--          0  no death on that host is held against the job, or it is over; nothing was changed
local _, stamp = clock(ARGV[1])
local row = parse(redis.call('HGET', KEYS[1], ARGV[3]))
-- a row that says nothing of hosts has no such place; one that is over neither
local blamed, others = false, {}
for _, host in ipairs(row and row[KILLED] and row[KILLED] ~= '' and row[KILLED] or {}) do
  if host == ARGV[4] then
    blamed = true
  else
    others[#others + 1] = host
  end
end
if not blamed then return 0 end
row[POISONED], row[EXCUSED] = row[POISONED] - 1, row[EXCUSED] + 1
note(row, nil, nil, #others > 0 and others or '')
redis.call('HSET', KEYS[1], ARGV[3], cjson.encode(row))
append_event(KEYS[2], ARGV[2], stamp, 'excused', ARGV[3], ARGV[5])
return 1
