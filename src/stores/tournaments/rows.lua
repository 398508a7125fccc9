--[[
Reads rows of the standings.

KEYS  1 meta  2 players  3 ranks (as in submit.lua)
ARGV  1 run id of the Redis server that the caller talks to  2 order  3 most rows
      4 rows to leave out before the first; or with 5: player id, who shall be in the middle
Returns nil when the board is missing (as in submit.lua), else struct ">ddddd" of the epoch, entries taken, number of the
  latest, players and rows left out, then for each row the player id (">Bc0") and the player's latest entry (ENTRY and name).

Atomic so that ranks, rows and counts belong together.
]]
local META, PLAYERS, RANKS = unpack(KEYS)
local SIGN = ARGV[2] == "desc" and -1 or 1
-- as in submit.lua
local HEADER, MARKS_AT, MARK_BYTES = ">dI4BBI2", 17, 4
local PLACE, PLACE_BYTES, NUMBERS = ">I8I8c0", 16, ">I4di4ddI5I5I4"

local meta = redis.call("HMGET", META, "run", "epoch", "submissions", "seq")
if meta[1] ~= ARGV[1] then
  return false
end
local total = redis.call("ZCARD", RANKS)
local limit, offset = tonumber(ARGV[3]), tonumber(ARGV[4])

local function latestOf(packed)
  local _, _, count, bytes = struct.unpack(HEADER, packed)
  local namesAt = MARKS_AT + MARK_BYTES * count
  local _, length, from = struct.unpack(">I4B", packed, namesAt)
  return string.sub(packed, -bytes) .. string.sub(packed, from - 1, from + length - 1)
end

if ARGV[5] then
  local packed = redis.call("HGET", PLAYERS, ARGV[5])
  if packed then
    local _, _, _, _, bestSubscore, _, reachedSeq = struct.unpack(NUMBERS, latestOf(packed))
    local rank = redis.call("ZRANK", RANKS, struct.pack(PLACE, 2 ^ 52 + SIGN * bestSubscore, reachedSeq, ARGV[5]))
    offset = math.max(0, math.min(rank - math.floor(limit / 2), total - limit))
  else
    limit = 0
  end
end

local reply = { struct.pack(">ddddd", tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4]), total, offset) }
local places = limit > 0 and redis.call("ZRANGE", RANKS, offset, offset + limit - 1) or {}
for index, place in ipairs(places) do
  local id = string.sub(place, PLACE_BYTES + 1)
  reply[index + 1] = struct.pack(">Bc0", #id, id) .. latestOf(redis.call("HGET", PLAYERS, id))
end
return table.concat(reply)
