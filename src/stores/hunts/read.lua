--[[
Counts a hunt's hot state and lists its top rows.

KEYS  1 meta  2 players  3 returned  4 templates  5 expiry  6 waiting  7 waiters  8 scores (as in decide.lua)
ARGV  1 run id of the Redis server that the caller talks to  2 how many top rows
Returns nil when the hunt is missing (as in decide.lua), else JSON
  {epoch, version, pool, waiting, issued, players, open, solved, nextExpiry or 0, top}
  where top is a list of {player id, name, points}, best first, or false when empty.

Atomic so that the counts belong together: pool + open + solved = issued in every view.
]]
local META, PLAYERS, RETURNED, _, EXPIRY, WAITING, _, SCORES = unpack(KEYS)

local meta = redis.call("HMGET", META, "run", "epoch", "version", "issued", "fresh", "solved")
if meta[1] ~= ARGV[1] then
  return false
end
local epoch, version, issued = tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4])
local fresh, solved = tonumber(meta[5]), tonumber(meta[6])

local top = {}
local limit = tonumber(ARGV[2])
if limit > 0 then
  local scores = redis.call("ZREVRANGE", SCORES, 0, limit - 1, "WITHSCORES")
  for index = 1, #scores, 2 do
    local name = cmsgpack.unpack(redis.call("HGET", PLAYERS, scores[index]))[1]
    top[#top + 1] = { scores[index], name, math.floor(tonumber(scores[index + 1]) / 2 ^ 24) }
  end
end

local soonest = redis.call("ZRANGE", EXPIRY, 0, 0, "WITHSCORES")
return cjson.encode({
  epoch,
  version,
  redis.call("ZCARD", RETURNED) + issued - fresh,
  redis.call("ZCARD", WAITING),
  issued,
  redis.call("HLEN", PLAYERS),
  redis.call("ZCARD", EXPIRY),
  solved,
  tonumber(soonest[2] or 0),
  #top > 0 and top,
})
