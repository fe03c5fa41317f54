#!lua flags=allow-oom
-- begin: work on the leased jobs begins; this is what an attempt is.
--
-- Why a script: the count must rise only for the worker that still holds the job, and once per lease.
-- Transitions: running -begun-> running
--
-- KEYS[1]  state
-- KEYS[2]  events
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  events kept
-- ARGV[3]  first of the leases; per lease: request id, fence
--
-- Returns the attempt's number per lease; 0 for a lost one
local now, stamp = clock(ARGV[1])
local reply = {}
for at = 3, #ARGV, 2 do
  local row = parse(redis.call('HGET', KEYS[1], ARGV[at]))
  local attempt = 0
  if holds(row, ARGV[at + 1]) then
    if row[PHASE] ~= 'begun' then
      row[ATTEMPT], row[PHASE], row[STARTED] = row[ATTEMPT] + 1, 'begun', now
      note(row, nil, nil, nil, 0)
      redis.call('HSET', KEYS[1], ARGV[at], cjson.encode(row))
      append_event(KEYS[2], ARGV[2], stamp, 'begun', ARGV[at], '{"attempt":' .. row[ATTEMPT] .. '}')
    end
    attempt = row[ATTEMPT]
  end
  reply[#reply + 1] = attempt
end
return reply
