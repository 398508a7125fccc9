--[[
Stages a chunk of a load.

KEYS  1 ticket  2 staged players  3 staged ranks (as in submit.lua)
ARGV  1 run id of the Redis server that the caller talks to  2 token of this load
      3 milliseconds after which a load that does nothing is forgotten  4 order
      5 msgpack: players, each {player id, the latest entries (as in submit.lua), oldest first}
Returns 1, or 0 when another load has overtaken this one, or what it staged is lost.

Atomic because a chunk must not mix with those of the load that overtakes it.
]]
local TICKET, PLAYERS, RANKS = unpack(KEYS)
local RUN, TOKEN, TTL = ARGV[1], ARGV[2], ARGV[3]
local SIGN = ARGV[4] == "desc" and -1 or 1
local SUBMISSION_ID, BEST, BEST_SUBSCORE, REACHED_SEQ = 1, 6, 7, 9
local HEADER = ">dI4I2I2B"

local ticket = redis.call("HMGET", TICKET, "run", "token")
if ticket[1] ~= RUN or ticket[2] ~= TOKEN then
  return 0
end
for _, player in ipairs(cmsgpack.unpack(ARGV[5])) do
  local id, entries = unpack(player)
  local ids, packed, latestBytes = "\n", {}, 0
  for index, entry in ipairs(entries) do
    local bytes = cmsgpack.pack(entry)
    ids, latestBytes = ids .. entry[SUBMISSION_ID] .. "\n", #bytes
    packed[index] = struct.pack(">I2", latestBytes) .. bytes
  end
  local header = struct.pack(HEADER, 0, 0, #ids, latestBytes, #entries)
  redis.call("HSET", PLAYERS, id, header .. ids .. table.concat(packed))
  local latest = entries[#entries]
  local place = struct.pack(">I8I8", 2 ^ 52 + SIGN * latest[BEST_SUBSCORE], latest[REACHED_SEQ])
  redis.call("ZADD", RANKS, SIGN * latest[BEST], place .. id)
end
for _, key in ipairs(KEYS) do
  redis.call("PEXPIRE", key, TTL)
end
return 1
