#!lua flags=allow-oom
-- permitted: which of the commands that the queue needs this user may not send. Runs none of them.
--
-- Why a script: a user without rights over other users learns what it may do only from inside one.
--
-- KEYS[1]  state
-- ARGV[1]  commands, JSON: lists of words, in which "KEY" stands for a key of the queue
--
-- Returns the names of the refused ones
local refused = {}
for _, words in ipairs(cjson.decode(ARGV[1])) do
  for i, word in ipairs(words) do
    if word == 'KEY' then words[i] = KEYS[1] end
  end
  local known, allowed = pcall(redis.acl_check_cmd, unpack(words))
  if not known or not allowed then refused[#refused + 1] = words[1] end
end
return refused
