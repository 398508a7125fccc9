--[[
Moves sessions whose end has come out of those that go on, and lists sessions that are over.

KEYS  1 live  2 ends  3 ended (as in report.lua)
ARGV  1 now   2 most to move, and to list
Returns a list of members of ended, soonest first.

Atomic because a session that is listed must not be prolonged any more: its row in the history is written from the list.
]]
local LIVE, ENDS, ENDED = unpack(KEYS)
local LIMIT = tonumber(ARGV[2])

local function memberOf(playerId, startedAt, seenAt, endedAt, leftAt)
  local reason = leftAt > 0 and "left" or "timeout"
  return string.format("%.0f %.0f %.0f %s %s", startedAt, seenAt, endedAt, reason, playerId)
end

for _, playerId in ipairs(redis.call("ZRANGEBYSCORE", ENDS, "-inf", ARGV[1], "LIMIT", 0, LIMIT)) do
  local startedAt, seenAt, endsAt, leftAt = unpack(cjson.decode(redis.call("HGET", LIVE, playerId)))
  -- Removing comes first: a Redis that is full refuses a script whose first write adds, and this one makes room.
  redis.call("ZREM", ENDS, playerId)
  redis.call("HDEL", LIVE, playerId)
  local endedAt = leftAt > 0 and leftAt or endsAt
  redis.call("ZADD", ENDED, endedAt, memberOf(playerId, startedAt, seenAt, endedAt, leftAt))
end
return redis.call("ZRANGE", ENDED, 0, LIMIT - 1)
