--[[
Notes that a hunt was paused or resumed.

KEYS  1 meta (HASH run, …, pauses: how often it was paused and resumed)
ARGV  1 run id of the Redis server that the caller talks to  2 how often that was
Returns 1, or 0 when the hunt is missing, or knows of more.

Atomic because the count must not go down, nor be written where there is no hunt.
]]
local known = redis.call("HMGET", KEYS[1], "run", "pauses")
if known[1] ~= ARGV[1] or tonumber(known[2] or 0) >= tonumber(ARGV[2]) then
  return 0
end
redis.call("HSET", KEYS[1], "pauses", ARGV[2])
return 1
