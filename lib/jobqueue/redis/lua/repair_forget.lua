#!lua flags=allow-oom
-- repair_forget: forget done jobs whose audio is lost for good, so that their ids may be enqueued anew.
--
-- Why a script: only a job that is done, and still the one that was looked at, may be forgotten.
--
-- KEYS[1]  state
-- KEYS[2]  spec
-- KEYS[3]  result
-- KEYS[4]  failed
-- KEYS[5]  history
-- KEYS[6]  history_failed
-- KEYS[7]  meta
-- ARGV[1]  first of the jobs; per job: request id, its lease number
--
-- Returns the request ids that were forgotten
local K = {
  state = KEYS[1], spec = KEYS[2], result = KEYS[3], failed = KEYS[4], history = KEYS[5],
  history_failed = KEYS[6], meta = KEYS[7],
}
local FIRST, WIDTH = 1, 2
local gone = {}
for at = FIRST, #ARGV, WIDTH do
  local row = parse(redis.call('HGET', K.state, ARGV[at]))
  if row and row[STATE] == 'done' and row[LEASE_NO] == tonumber(ARGV[at + 1]) then gone[#gone + 1] = ARGV[at] end
end
forget(K, gone)
return gone
