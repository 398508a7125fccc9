--[[
Tells the places of waiting players in the queue of a hunt.

KEYS  1 meta  2 waiting (as in decide.lua)
ARGV  1 run id of the Redis server that the caller talks to  2 JSON: ids of players, at least one
Returns nil when the hunt is missing (as in decide.lua), else of each player the place, from 1; 0 for one who does not wait.

Atomic so that the places are those of one moment: no two players are told the same one.
]]
if redis.call("HGET", KEYS[1], "run") ~= ARGV[1] then
  return false
end
local places = {}
for at, id in ipairs(cjson.decode(ARGV[2])) do
  local before = redis.call("ZRANK", KEYS[2], id)
  places[at] = before and before + 1 or 0
end
return places
