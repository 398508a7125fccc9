--[[
Stages a chunk of a load.

KEYS  1 ticket  2 staged players  3 staged ranks (as in submit.lua)
ARGV  1 run id of the Redis server that the caller talks to  2 token of this load
      3 milliseconds after which a load that does nothing is forgotten  4 order
      5 msgpack: players, each {player id, name, score, subscore, reachedSeq, entries, latest entries (as in submit.lua), oldest first}
Returns 1, or 0 when another load has overtaken this one, or what it staged is lost.

Atomic because a chunk must not mix with those of the load that overtakes it.
]]
local TICKET, PLAYERS, RANKS = unpack(KEYS)
local RUN, TOKEN, TTL = ARGV[1], ARGV[2], ARGV[3]
local SIGN = ARGV[4] == "desc" and -1 or 1
local SUBMISSION_ID = 1

local ticket = redis.call("HMGET", TICKET, "run", "token")
if ticket[1] ~= RUN or ticket[2] ~= TOKEN then
  return 0
end
for _, staged in ipairs(cmsgpack.unpack(ARGV[5])) do
  local id, name, score, subscore, reachedSeq, entries, entriesKept = unpack(staged)
  local latest = {}
  for index, entry in ipairs(entriesKept) do
    latest[2 * index - 1], latest[2 * index] = entry[SUBMISSION_ID], cmsgpack.pack(entry)
  end
  redis.call("HSET", PLAYERS, id, cmsgpack.pack({ name, score, subscore, reachedSeq, entries, 0, 0, latest }))
  local digits = string.format("%016.0f%016.0f", 2 ^ 52 + SIGN * subscore, reachedSeq)
  redis.call("ZADD", RANKS, SIGN * score, digits .. id)
end
for _, key in ipairs(KEYS) do
  redis.call("PEXPIRE", key, TTL)
end
return 1
