--[[
Takes note of what one node has seen of its players.

KEYS (all with the hash tag {sessions})
  1 live   HASH  player id -> JSON {startedAt, seenAt, endsAt, leftAt or 0, seat, ...} of each session that goes on
  2 ends   ZSET  player id of each session that goes on, by endsAt
  3 ended  ZSET  "startedAt seenAt endedAt left|timeout playerId" of each session that is over, by endedAt
ARGV
  1 timeoutMs   2 leavingMs   3 most sessions   4 most seats
  5 JSON {node id, {live node id, ...}, seen, left}, where seen is a list of {player id, seat or "", from, at} and left one
    of {player id, seat, at}
Returns how many sessions could not begin.

Atomic because a session is in exactly one of live and ended, and its end is that by which it is found.
]]
local LIVE, ENDS, ENDED = unpack(KEYS)
local TIMEOUT, LEAVING = tonumber(ARGV[1]), tonumber(ARGV[2])
local MOST_SESSIONS, MOST_SEATS = tonumber(ARGV[3]), tonumber(ARGV[4])
local STARTED_AT, SEEN_AT, ENDS_AT, LEFT_AT, FIRST_SEAT = 1, 2, 3, 4, 5

local node, liveNodes, seen, left = unpack(cjson.decode(ARGV[5]))
local held = redis.call("HLEN", LIVE) + redis.call("ZCARD", ENDED)
local refused = 0

local lives = { [node] = true }
for _, id in ipairs(liveNodes) do
  lives[id] = true
end

local function find(playerId)
  local session = redis.call("HGET", LIVE, playerId)
  return session and cjson.decode(session)
end

local function keep(playerId, session)
  redis.call("HSET", LIVE, playerId, cjson.encode(session))
  redis.call("ZADD", ENDS, session[ENDS_AT], playerId)
end

local function memberOf(playerId, startedAt, seenAt, endedAt, leftAt)
  local reason = leftAt > 0 and "left" or "timeout"
  return string.format("%.0f %.0f %.0f %s %s", startedAt, seenAt, endedAt, reason, playerId)
end

local function finish(playerId, session)
  local startedAt, seenAt, endsAt, leftAt = unpack(session)
  local endedAt = leftAt > 0 and leftAt or endsAt
  redis.call("ZADD", ENDED, endedAt, memberOf(playerId, startedAt, seenAt, endedAt, leftAt))
  redis.call("HDEL", LIVE, playerId)
  redis.call("ZREM", ENDS, playerId)
end

local function takeSeat(session, seat)
  for index = FIRST_SEAT, #session do
    if session[index] == seat then
      return false
    end
  end
  session[#session + 1] = seat
  if #session - FIRST_SEAT + 1 > MOST_SEATS then
    table.remove(session, FIRST_SEAT)
  end
  return true
end

local function giveUpSeat(session, seat)
  for index = #session, FIRST_SEAT, -1 do
    if session[index] == seat or not lives[string.match(session[index], "^(.*)/")] then
      table.remove(session, index)
    end
  end
end

for _, entry in ipairs(seen) do
  local playerId, seat, from, at = unpack(entry)
  local session = find(playerId)
  if session and from >= session[ENDS_AT] then
    finish(playerId, session)
    session = nil
  end
  if not session and held < MOST_SESSIONS then
    held = held + 1
    session = { from, from, 0, 0 }
  end
  if session then
    local isNewSeat = seat ~= "" and takeSeat(session, node .. "/" .. seat)
    if isNewSeat or at > session[LEFT_AT] then
      session[LEFT_AT] = 0
    end
    session[SEEN_AT] = math.max(session[SEEN_AT], at)
    if session[LEFT_AT] == 0 then
      session[ENDS_AT] = session[SEEN_AT] + TIMEOUT
    end
    keep(playerId, session)
  else
    refused = refused + 1
  end
end

for _, entry in ipairs(left) do
  local playerId, seat, at = unpack(entry)
  local session = find(playerId)
  if session then
    giveUpSeat(session, node .. "/" .. seat)
    local isNowhere = #session < FIRST_SEAT
    if isNowhere and at >= session[SEEN_AT] and at < session[ENDS_AT] and session[LEFT_AT] == 0 then
      session[LEFT_AT] = at
      session[ENDS_AT] = math.min(session[ENDS_AT], at + LEAVING)
    end
    keep(playerId, session)
  end
end

return refused
