#!lua flags=allow-oom
-- assign: note the host and spool entry of jobs that `claim` leased, so that a new leader finds their work.
--
-- Why a script: a worker that lost a job must not say where the new owner's work lies.
--
-- KEYS[1]  state
-- ARGV[1]  first of the placements; per placement: request id, fence, host, entry in that host's spool
--
-- Returns the positions (from 0) of the leases that are lost; nothing was written for those
local FIRST, WIDTH = 1, 4
local ids, states, lost = {}, {}, {}
for at = FIRST, #ARGV, WIDTH do ids[#ids + 1] = ARGV[at] end
for i, raw in ipairs(redis.call('HMGET', KEYS[1], unpack(ids))) do
  local at, row = FIRST + (i - 1) * WIDTH, parse(raw)
  if holds(row, ARGV[at + 1]) then
    local host = ARGV[at + 2]
    note(row, host, host ~= '' and ARGV[at + 3] or '') -- an entry lies nowhere without its host
    states[#states + 1], states[#states + 2] = ids[i], cjson.encode(row)
  else
    lost[#lost + 1] = i - 1
  end
end
if #states > 0 then redis.call('HSET', KEYS[1], unpack(states)) end
return lost
