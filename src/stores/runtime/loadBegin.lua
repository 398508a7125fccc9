--[[
Begins to load hot state: clears what an earlier load, finished or killed, has staged.

KEYS  1 meta (HASH run, epoch, …)  2 ticket (HASH run, epoch, token of the load that may stage)  3… staged collections
ARGV  1 run id of the Redis server that the caller talks to  2 epoch  3 token of this load
      4 milliseconds after which a load that does nothing is forgotten
Returns 1, or 0 when the state is at this epoch or a later one already, or a load of a later one is under way.

Atomic because of two loads that begin at once exactly one may stage.
]]
local META, TICKET = KEYS[1], KEYS[2]
local RUN, EPOCH, TOKEN, TTL = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]

for _, key in ipairs({ META, TICKET }) do
  local known = redis.call("HMGET", key, "run", "epoch")
  -- Of a load of the same epoch the later one goes on; of a finished one nothing is left to do.
  if known[1] == RUN and (tonumber(known[2]) > EPOCH or (key == META and tonumber(known[2]) == EPOCH)) then
    return 0
  end
end
redis.call("UNLINK", unpack(KEYS, 2))
redis.call("HSET", TICKET, "run", RUN, "epoch", EPOCH, "token", TOKEN)
redis.call("PEXPIRE", TICKET, TTL)
return 1
