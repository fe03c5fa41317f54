#!lua flags=allow-oom
-- pause: stop giving out jobs, or go on.
--
-- Why a script: the mark, its event and the bell belong together.
--
-- KEYS[1]  meta
-- KEYS[2]  events
-- KEYS[3]  bell
-- ARGV[1]  now, milliseconds since the epoch; empty: the server's TIME
-- ARGV[2]  events kept
-- ARGV[3]  "1" pause, "0" resume
--
-- Returns  1  changed
--          0  it was so already
local paused = redis.call('HEXISTS', KEYS[1], 'paused') == 1
if paused == (ARGV[3] == '1') then return 0 end
local now, stamp = clock(ARGV[1])
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[1], 'paused', now)
else
  redis.call('HDEL', KEYS[1], 'paused')
end
append_event(KEYS[2], ARGV[2], stamp, ARGV[3] == '1' and 'paused' or 'resumed', '', '')
ring(KEYS[3])
return 1
