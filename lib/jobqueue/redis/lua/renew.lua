#!lua flags=allow-oom
-- renew: extend leases from now.
--
-- Why a script: a worker that lost a job must not extend the new owner's lease.
--
-- KEYS[1]  state
-- KEYS[2]  leases
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  lease, ms
-- ARGV[3]  first of the leases; per lease: request id, fence
--
-- Returns the positions (from 0) of the leases that are lost
local expiry = clock(ARGV[1]) + ARGV[2]
local ids, scores, lost = {}, {}, {}
for at = 3, #ARGV, 2 do ids[#ids + 1] = ARGV[at] end
for i, raw in ipairs(redis.call('HMGET', KEYS[1], unpack(ids))) do
  if holds(parse(raw), ARGV[2 * i + 2]) then
    scores[#scores + 1], scores[#scores + 2] = expiry, ids[i]
  else
    lost[#lost + 1] = i - 1
  end
end
if #scores > 0 then redis.call('ZADD', KEYS[2], unpack(scores)) end
return lost
