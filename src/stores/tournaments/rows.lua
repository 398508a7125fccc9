--[[
Reads rows of the standings.

KEYS  1 meta  2 players  3 ranks (as in submit.lua)
ARGV  1 run id of the Redis server that the caller talks to  2 order  3 most rows
      4 rows to leave out before the first; or with 5: player id, who shall be in the middle
Returns nil when the board is missing (as in submit.lua), else msgpack values one after the other: epoch, entries taken,
  players, rows left out, then for each row the player id and the player's latest entry.

Atomic so that ranks, rows and counts belong together.
]]
local META, PLAYERS, RANKS = unpack(KEYS)
local SIGN = ARGV[2] == "desc" and -1 or 1
local BEST_SUBSCORE, REACHED_SEQ = 7, 9
local HEADER = ">dI4I2I2B"
local PLACE_BYTES = 16

local meta = redis.call("HMGET", META, "run", "epoch", "submissions")
if meta[1] ~= ARGV[1] then
  return false
end
local total = redis.call("ZCARD", RANKS)
local limit, offset = tonumber(ARGV[3]), tonumber(ARGV[4])

local function latestOf(packed)
  local _, _, _, bytes = struct.unpack(HEADER, packed)
  return string.sub(packed, -bytes)
end

if ARGV[5] then
  local packed = redis.call("HGET", PLAYERS, ARGV[5])
  if packed then
    local latest = cmsgpack.unpack(latestOf(packed))
    local place = struct.pack(">I8I8", 2 ^ 52 + SIGN * latest[BEST_SUBSCORE], latest[REACHED_SEQ])
    local rank = redis.call("ZRANK", RANKS, place .. ARGV[5])
    offset = math.max(0, math.min(rank - math.floor(limit / 2), total - limit))
  else
    limit = 0
  end
end

local reply = {}
for _, value in ipairs({ tonumber(meta[2]), tonumber(meta[3]), total, offset }) do
  reply[#reply + 1] = cmsgpack.pack(value)
end
local members = limit > 0 and redis.call("ZRANGE", RANKS, offset, offset + limit - 1) or {}
for _, member in ipairs(members) do
  local id = string.sub(member, PLACE_BYTES + 1)
  reply[#reply + 1] = cmsgpack.pack(id)
  reply[#reply + 1] = latestOf(redis.call("HGET", PLAYERS, id))
end
return table.concat(reply)
