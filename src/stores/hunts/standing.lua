--[[
Where players of a hunt stand.

KEYS  1 meta  2 scores (as in decide.lua)
ARGV  1 run id of the Redis server that the caller talks to  2 … player ids
Returns nil when the hunt is missing (as in decide.lua), else a list {rank, points} for each player, from rank 1; who has no
points has rank 0. Takes O(log n) a player.

Atomic so that all of a batch stand in the same standings.
]]
if redis.call("HGET", KEYS[1], "run") ~= ARGV[1] then
  return false
end
local standings = {}
for at = 2, #ARGV do
  local place = redis.call("ZREVRANK", KEYS[2], ARGV[at])
  local score = place and redis.call("ZSCORE", KEYS[2], ARGV[at])
  standings[at - 1] = place and { place + 1, math.floor(tonumber(score) / 2 ^ 24) } or { 0, 0 }
end
return standings
