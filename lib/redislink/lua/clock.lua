-- clock: what all scripts begin with. The loader puts it in front of each of them (after their flags).

-- Milliseconds since the epoch: the server's, unless a test passes its own. The second value is the id for
-- new events, whose first part is their time.
local function clock(given)
  if given ~= '' then return tonumber(given), given .. '-*' end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000), '*'
end

