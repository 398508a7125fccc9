--[[
Decides a batch of submissions to one board, in order.

KEYS (all with the hash tag {board:ID})
  1 meta     HASH  run, epoch, seq (of the latest entry), submissions (entries taken)
  2 players  HASH  player id -> what is remembered of the player:
                     header: struct ">dI4I2I2B": begin of the rate's window, entries in it, bytes of the ids, bytes of the latest
                       entry, how many entries follow
                     the ids of the submissions that became these entries, oldest first: "\n" before, between and after them
                     the entries, oldest first: for each its bytes as struct ">I2", and itself as msgpack
                   The latest entry says how the player stands.
  3 ranks    ZSET  who stands where, the best first: by the score (negated when more is better), then by the member: struct
                   ">I8I8" of the subscore (as a number that is less when better) and reachedSeq, then the player id
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
Numbers are doubles all the way: msgpack and the "%.17g" that Redis makes of a script's numbers keep them exact (cjson does not).

Atomic because an entry's number, what it makes of the standing, and the rank told belong together, and each counts once.
The first write fails as a whole when memory is short; later ones then do not.
]]
local META, PLAYERS, RANKS = unpack(KEYS)
local RUN, OPERATOR, ORDER = ARGV[1], ARGV[2], ARGV[3]
local MAX_ENTRIES, MAX_SUBMISSIONS = tonumber(ARGV[4]), tonumber(ARGV[5])
local MIN_SCORE, MAX_SCORE, PER_MINUTE, REMEMBERED = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local ENTRY_NO, BEST, BEST_SUBSCORE, REACHED_SEQ = 3, 6, 7, 9
local HEADER = ">dI4I2I2B"
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

local function find(id)
  local packed = redis.call("HGET", PLAYERS, id)
  if not packed then
    return { windowBegin = 0, windowEntries = 0, ids = "\n", count = 0, entries = "" }
  end
  local windowBegin, windowEntries, idBytes, latestBytes, count, from = struct.unpack(HEADER, packed)
  local latest = string.sub(packed, -latestBytes)
  return {
    windowBegin = windowBegin,
    windowEntries = windowEntries,
    ids = string.sub(packed, from, from + idBytes - 1),
    count = count,
    entries = string.sub(packed, from + idBytes),
    packedLatest = latest,
    latest = cmsgpack.unpack(latest),
  }
end

local function save(id, player)
  local header = struct.pack(
    HEADER, player.windowBegin, player.windowEntries, #player.ids, #player.packedLatest, player.count
  )
  redis.call("HSET", PLAYERS, id, header .. player.ids .. player.entries)
end

local function member(id, bestSubscore, reachedSeq)
  return struct.pack(">I8I8", 2 ^ 52 + SIGN * bestSubscore, reachedSeq) .. id
end

-- What counts once the entry has been added to what the player has, if anything.
local function combine(latest, score, subscore)
  if not latest or OPERATOR == "last" then
    return score, subscore
  elseif OPERATOR == "best" then
    local difference = SIGN * (score - latest[BEST])
    if score == latest[BEST] then
      difference = SIGN * (subscore - latest[BEST_SUBSCORE])
    end
    if difference < 0 then
      return score, subscore
    end
    return latest[BEST], latest[BEST_SUBSCORE]
  end
  return latest[BEST] + score, latest[BEST_SUBSCORE] + subscore
end

-- The milliseconds until the player may have another entry, 0 for now; moves on to a new window. A clock behind the window's
-- begin has jumped: it begins a new one, for else it could lock the player out for as long as the jump.
local function wait(player, now)
  if now < player.windowBegin or now >= player.windowBegin + MINUTE then
    player.windowBegin, player.windowEntries = now, 0
  end
  return player.windowEntries < PER_MINUTE and 0 or player.windowBegin + MINUTE - now
end

-- The remembered entry of this submission and the one before it.
local function recall(player, submissionId)
  if not string.find(player.ids, "\n" .. submissionId .. "\n", 1, true) then
    return nil
  end
  local previous, at = NOTHING, 1
  for id in string.gmatch(player.ids, "[^\n]+") do
    local bytes, from = struct.unpack(">I2", player.entries, at)
    local entry = string.sub(player.entries, from, from + bytes - 1)
    if id == submissionId then
      return entry, previous
    end
    previous, at = entry, from + bytes
  end
end

local function remember(player, submissionId, entry)
  if player.count == REMEMBERED then
    local bytes, from = struct.unpack(">I2", player.entries)
    player.entries = string.sub(player.entries, from + bytes)
    player.ids = string.sub(player.ids, (string.find(player.ids, "\n", 2, true)))
  else
    player.count = player.count + 1
  end
  player.ids = player.ids .. submissionId .. "\n"
  player.entries = player.entries .. struct.pack(">I2", #entry) .. entry
  player.packedLatest = entry
end

-- Puts the player where the new standing belongs. Returns since when the player has it, and the rank.
local function stand(id, latest, best, bestSubscore)
  local reachedSeq, place = seq, nil
  if latest and best == latest[BEST] and bestSubscore == latest[BEST_SUBSCORE] then
    reachedSeq = latest[REACHED_SEQ]
    place = member(id, bestSubscore, reachedSeq)
  else
    if latest then
      redis.call("ZREM", RANKS, member(id, latest[BEST_SUBSCORE], latest[REACHED_SEQ]))
    end
    place = member(id, bestSubscore, reachedSeq)
    redis.call("ZADD", RANKS, SIGN * best, place)
  end
  return reachedSeq, redis.call("ZRANK", RANKS, place) + 1
end

local function decide(id, name, submissionId, score, subscore, now, isKnownNew)
  local player = find(id)
  local first, previous = recall(player, submissionId)
  if first then
    return KIND.repeated, first, previous
  end
  local latest = player.latest
  local entries = latest and latest[ENTRY_NO] or 0
  if not isKnownNew and entries > player.count then
    return KIND.unsure, NOTHING, NOTHING
  end

  local best, bestSubscore = combine(latest, score, subscore)
  local judged = OPERATOR == "increment" and best or score
  if not (judged >= MIN_SCORE and judged <= MAX_SCORE and math.abs(best) < math.huge) then
    return KIND.outOfBounds, NOTHING, NOTHING
  elseif entries >= MAX_ENTRIES then
    return KIND.full, cmsgpack.pack("player"), NOTHING
  elseif submissions >= MAX_SUBMISSIONS then
    return KIND.full, cmsgpack.pack("tournament"), NOTHING
  end
  local retryAfter = wait(player, now)
  if retryAfter > 0 then
    return KIND.tooFast, cmsgpack.pack(retryAfter), NOTHING
  end

  seq, submissions, player.windowEntries = seq + 1, submissions + 1, player.windowEntries + 1
  local reachedSeq, rank = stand(id, latest, best, bestSubscore)
  local entry = cmsgpack.pack({
    submissionId, name, entries + 1, score, subscore, best, bestSubscore, seq, reachedSeq, rank,
  })
  previous = player.packedLatest or NOTHING
  remember(player, submissionId, entry)
  save(id, player)
  return KIND.accepted, entry, previous
end

local reply = { cmsgpack.pack(tonumber(meta[2])) }
for _, submission in ipairs(cmsgpack.unpack(ARGV[10])) do
  local size = #reply
  reply[size + 1], reply[size + 2], reply[size + 3] = decide(unpack(submission))
end
if seq ~= loadedSeq then
  redis.call("HSET", META, "seq", seq, "submissions", submissions)
end
return table.concat(reply)
