--[[
Decides a batch of submissions to one board, in order.

KEYS (all with the hash tag {board:ID})
  1 meta     HASH  run, epoch, seq (of the latest entry), submissions (entries taken)
  2 players  HASH  player id -> cmsgpack {name, score, subscore, reachedSeq, entries, begin of the rate's window, entries in it,
                   {submission id, packed entry, …} of the latest entries, oldest first}
  3 ranks    ZSET  who stands where, the best first: by the score (negated when more is better), then by the member: 16 digits of
                   the subscore (turned into a number that is less when better), 16 of reachedSeq, player id
ARGV
  1 run id of the Redis server that the caller talks to   2 operator   3 order   4 entries a player   5 entries of all players
  6 lowest score   7 highest score   8 entries a player and minute   9 latest entries of a player to remember
  10 msgpack: the submissions, each {player id, name, submission id, score, subscore, now, whether it is known to be new}
Returns
  nil when the board is missing: never loaded, lost, or loaded into another life of the server, whose data a restart may
  have brought back older than it was. Else msgpack values one after the other: the epoch, then three for each submission:
    "accepted" | "repeated", entry, the player's entry before it or false
    "unsure" | "outOfBounds", false, false   "full", "player" | "tournament", false   "tooFast", milliseconds to wait, false
  where an entry is {submission id, name, entryNo, score, subscore, best, bestSubscore, seq, reachedSeq, toldRank}.
Numbers are doubles all the way: cmsgpack and the "%.17g" that Redis makes of a script's numbers keep them exact (cjson does not).

Atomic because an entry's number, what it makes of the standing, and the rank told belong together, and each counts once.
The first write fails as a whole when memory is short; later ones then do not.
]]
local META, PLAYERS, RANKS = unpack(KEYS)
local RUN, OPERATOR, ORDER = ARGV[1], ARGV[2], ARGV[3]
local MAX_ENTRIES, MAX_SUBMISSIONS = tonumber(ARGV[4]), tonumber(ARGV[5])
local MIN_SCORE, MAX_SCORE, PER_MINUTE, REMEMBERED = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local NAME, SCORE, SUBSCORE, REACHED_SEQ, ENTRIES, WINDOW_BEGIN, WINDOW_ENTRIES, LATEST = 1, 2, 3, 4, 5, 6, 7, 8
local MINUTE = 60000
local SIGN = ORDER == "desc" and -1 or 1
local NOTHING = cmsgpack.pack(false)
local KIND = {}
for _, kind in ipairs({ "accepted", "repeated", "unsure", "outOfBounds", "full", "tooFast" }) do
  KIND[kind] = cmsgpack.pack(kind)
end

local meta = redis.call("HMGET", META, "run", "epoch", "seq", "submissions")
if meta[1] ~= RUN then
  return false
end
local seq, submissions = tonumber(meta[3]), tonumber(meta[4])
local loadedSeq = seq

local function member(id, player)
  return string.format("%016.0f%016.0f%s", 2 ^ 52 + SIGN * player[SUBSCORE], player[REACHED_SEQ], id)
end

-- What counts once the entry has been added to what the player has, if anything.
local function combine(player, score, subscore)
  if not player or OPERATOR == "last" then
    return score, subscore
  elseif OPERATOR == "best" then
    local difference = SIGN * (score - player[SCORE])
    if score == player[SCORE] then
      difference = SIGN * (subscore - player[SUBSCORE])
    end
    if difference < 0 then
      return score, subscore
    end
    return player[SCORE], player[SUBSCORE]
  end
  return player[SCORE] + score, player[SUBSCORE] + subscore
end

-- The milliseconds until the player may have another entry, 0 for now; moves on to a new window. A clock behind the window's
-- begin has jumped: it begins a new one, for else it could lock the player out for as long as the jump.
local function wait(player, now)
  if now < player[WINDOW_BEGIN] or now >= player[WINDOW_BEGIN] + MINUTE then
    player[WINDOW_BEGIN], player[WINDOW_ENTRIES] = now, 0
  end
  return player[WINDOW_ENTRIES] < PER_MINUTE and 0 or player[WINDOW_BEGIN] + MINUTE - now
end

-- Where the submission is among the player's latest entries.
local function recall(player, submissionId)
  local latest = player[LATEST]
  for index = 1, #latest, 2 do
    if latest[index] == submissionId then
      return index
    end
  end
end

local function stand(id, player, isNew, score, subscore)
  if isNew or score ~= player[SCORE] or subscore ~= player[SUBSCORE] then
    if not isNew then
      redis.call("ZREM", RANKS, member(id, player))
    end
    player[SCORE], player[SUBSCORE], player[REACHED_SEQ] = score, subscore, seq
    redis.call("ZADD", RANKS, SIGN * score, member(id, player))
  end
  return redis.call("ZRANK", RANKS, member(id, player)) + 1
end

local function remember(player, submissionId, entry)
  local latest = player[LATEST]
  local previous = latest[#latest] or NOTHING
  latest[#latest + 1] = submissionId
  latest[#latest + 1] = entry
  if #latest > 2 * REMEMBERED then
    table.remove(latest, 1)
    table.remove(latest, 1)
  end
  return previous
end

local function decide(id, name, submissionId, score, subscore, now, isKnownNew)
  local packed = redis.call("HGET", PLAYERS, id)
  local player = packed and cmsgpack.unpack(packed)
  if player then
    local index = recall(player, submissionId)
    if index then
      return KIND.repeated, player[LATEST][index + 1], player[LATEST][index - 1] or NOTHING
    elseif not isKnownNew and player[ENTRIES] * 2 > #player[LATEST] then
      return KIND.unsure, NOTHING, NOTHING
    end
  end

  local best, bestSubscore = combine(player, score, subscore)
  local judged = OPERATOR == "increment" and best or score
  if not (judged >= MIN_SCORE and judged <= MAX_SCORE and math.abs(best) < math.huge) then
    return KIND.outOfBounds, NOTHING, NOTHING
  end
  local isFirst = not player
  player = player or { name, 0, 0, 0, 0, now, 0, {} }
  if player[ENTRIES] >= MAX_ENTRIES then
    return KIND.full, cmsgpack.pack("player"), NOTHING
  elseif submissions >= MAX_SUBMISSIONS then
    return KIND.full, cmsgpack.pack("tournament"), NOTHING
  end
  local retryAfter = wait(player, now)
  if retryAfter > 0 then
    return KIND.tooFast, cmsgpack.pack(retryAfter), NOTHING
  end

  seq, submissions = seq + 1, submissions + 1
  player[NAME], player[ENTRIES], player[WINDOW_ENTRIES] = name, player[ENTRIES] + 1, player[WINDOW_ENTRIES] + 1
  local rank = stand(id, player, isFirst, best, bestSubscore)
  local entry = cmsgpack.pack({
    submissionId, name, player[ENTRIES], score, subscore, best, bestSubscore, seq, player[REACHED_SEQ], rank,
  })
  local previous = remember(player, submissionId, entry)
  redis.call("HSET", PLAYERS, id, cmsgpack.pack(player))
  return KIND.accepted, entry, previous
end

local reply = { cmsgpack.pack(tonumber(meta[2])) }
for _, submission in ipairs(cmsgpack.unpack(ARGV[10])) do
  local kind, first, second = decide(unpack(submission))
  local size = #reply
  reply[size + 1], reply[size + 2], reply[size + 3] = kind, first, second
end
if seq ~= loadedSeq then
  redis.call("HSET", META, "seq", seq, "submissions", submissions)
end
return table.concat(reply)
