--[[
Stages a chunk of a load.

KEYS  1 ticket  2 staged players  3 staged ranks (as in submit.lua)
ARGV  1 run id of the Redis server that the caller talks to  2 token of this load
      3 milliseconds after which a load that does nothing is forgotten
      then for each player: the id, what is remembered of the player, the score by which ranks are sorted, and the place
Returns 1, or 0 when another load has overtaken this one, or what it staged is lost.

Atomic because a chunk must not mix with those of the load that overtakes it.
]]
local TICKET, PLAYERS, RANKS = unpack(KEYS)
local RUN, TOKEN, TTL = ARGV[1], ARGV[2], ARGV[3]

local ticket = redis.call("HMGET", TICKET, "run", "token")
if ticket[1] ~= RUN or ticket[2] ~= TOKEN then
  return 0
end
for index = 4, #ARGV, 4 do
  redis.call("HSET", PLAYERS, ARGV[index], ARGV[index + 1])
  redis.call("ZADD", RANKS, ARGV[index + 2], ARGV[index + 3])
end
for _, key in ipairs(KEYS) do
  redis.call("PEXPIRE", key, TTL)
end
return 1
