--[[
Writes a node's beat, and answers what its sender does not know of the others: so that a beat costs the same however many nodes there are.

KEYS (all with the same prefix)
  1 nodes    HASH  node id -> JSON {info, count}, as all versions read it
  2 beats    ZSET  node id by the server's time of its latest beat, in ms
  3 changes  ZSET  node id by the revision at which what it says of itself changed last, or it left
  4 list     HASH  era (random: another one when the server lost its memory), revision
ARGV
  1 node id   2 JSON {info, count}   3 "1" when info has changed   4 era and 5 revision that the sender knows ("" and 0: none)
  6 a beat this many ms ago may be of a node that has fallen silent   7 era to begin with
Returns {
  server's time in ms with its fraction, era, revision, nodes on the list, 1 when all of them follow,
  [id, JSON or "" when it left, …]: all, or those that changed after the revision known,
  [id, ms of its latest beat, ms since, …]: those that may have fallen silent,
  [id, …]: when all follow, nodes of a version that counts its beats in NODES alone
}

Atomic because a node that is on the list and not among the silent must have beaten lately.
]]
local NODES, BEATS, CHANGES, LIST = unpack(KEYS)
local ID, TEXT = ARGV[1], ARGV[2]
local CHANGED, KNOWN_ERA, KNOWN, QUIET_MS = ARGV[3] == "1", ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
-- A beat this far ahead of the server's clock was before that was set back.
local AHEAD_MS = 1000
-- Changes that are remembered; whoever is further behind reads all.
local MOST_CHANGES = 10000

local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local era = redis.call("HGET", LIST, "era")
if not era then
  era = ARGV[7]
  redis.call("HSET", LIST, "era", era)
end
if redis.call("HSET", NODES, ID, TEXT) == 1 or CHANGED then
  local revision = redis.call("HINCRBY", LIST, "revision", 1)
  redis.call("ZADD", CHANGES, revision, ID)
  redis.call("ZREMRANGEBYSCORE", CHANGES, "-inf", revision - MOST_CHANGES)
end
redis.call("ZADD", BEATS, now, ID)

local revision = tonumber(redis.call("HGET", LIST, "revision") or "0")
local size = redis.call("HLEN", NODES)
-- A node that is in one of the two and not in the other is of the version before, or was lost on the way.
local isWhole = era ~= KNOWN_ERA or revision < KNOWN or KNOWN <= revision - MOST_CHANGES or size ~= redis.call("ZCARD", BEATS)

local infos, counted = {}, {}
if isWhole then
  infos = redis.call("HGETALL", NODES)
  for at = 1, #infos, 2 do
    if not redis.call("ZSCORE", BEATS, infos[at]) then
      counted[#counted + 1] = infos[at]
    end
  end
elseif revision > KNOWN then
  for _, id in ipairs(redis.call("ZRANGEBYSCORE", CHANGES, "(" .. KNOWN, "+inf")) do
    infos[#infos + 1] = id
    infos[#infos + 1] = redis.call("HGET", NODES, id) or ""
  end
end

local silent = {}
local function note(found)
  for at = 1, #found, 2 do
    silent[#silent + 1] = found[at]
    silent[#silent + 1] = found[at + 1]
    silent[#silent + 1] = tostring(now - tonumber(found[at + 1]))
  end
end
note(redis.call("ZRANGEBYSCORE", BEATS, "-inf", now - QUIET_MS, "WITHSCORES"))
note(redis.call("ZRANGEBYSCORE", BEATS, now + AHEAD_MS, "+inf", "WITHSCORES"))
return { time[1] .. "." .. string.format("%06d", time[2]), era, revision, size, isWhole and 1 or 0, infos, silent, counted }
