#!lua flags=allow-oom
-- repair_entries: find entries of a stream that no job points to, and given-out ones that are gone from it.
--
-- Why a script: an entry that looks left over may be the one that a job gets at this very moment.
--
-- KEYS[1]  state
-- KEYS[2]  high
-- KEYS[3]  normal
-- KEYS[4]  low
-- ARGV[1]  consumer group
-- ARGV[2]  "1": remove them; "0": look only
-- ARGV[3]  which stream: "high", "normal" or "low"
-- ARGV[4]  first of the entries' ids, at most 200
--
-- Returns {{entry id, "stray_entry" or "lost_entry", request id or ""}...}
local stream = ({ high = KEYS[2], normal = KEYS[3], low = KEYS[4] })[ARGV[3]]
local group, mend = ARGV[1], ARGV[2] == '1'
local reply = {}
for at = 4, #ARGV do
  local entry = ARGV[at]
  local there = redis.call('XRANGE', stream, entry, entry)[1]
  local id = there and there[2][2] or ''
  local row = parse(redis.call('HGET', KEYS[1], id))
  local what = nil
  if there and not (row and row[ENTRY] == entry) then
    what = 'stray_entry'
  elseif not there then
    -- pcall: without its group the server refuses, which is an answer without entries
    local pending = redis.pcall('XPENDING', stream, group, entry, entry, 1)
    if #pending > 0 then what = 'lost_entry' end
  end
  if what then
    reply[#reply + 1] = { entry, what, id }
    if mend then
      redis.call('XACK', stream, group, entry)
      redis.call('XDEL', stream, entry)
    end
  end
end
return reply
