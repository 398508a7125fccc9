--[[
Decides a batch of submissions to one board, in order.

KEYS (all with the hash tag {board:ID})
  1 meta     HASH  run, epoch, seq (of the latest entry), submissions (entries taken)
  2 players  HASH  player id -> what is remembered of the player:
                     struct HEADER: begin of the rate's window, entries in it, bytes of the ids, bytes of the latest entry, how many
                       entries follow
                     the ids of the submissions that became these entries, oldest first: "\n" before, between and after them
                     the entries, oldest first: struct ENTRY each
                   The latest entry says how the player stands.
  3 ranks    ZSET  who stands where, the best first: by the score (negated when more is better), then by the member: struct
                   PLACE of the subscore (as a number that is less when better), reachedSeq and player id
ARGV
  1 run id of the Redis server that the caller talks to   2 operator   3 order   4 entries a player   5 entries of all players
  6 lowest score   7 highest score   8 entries a player and minute   9 latest entries of a player to remember
  10 msgpack: the submissions, each {player id, name, submission id, score, subscore, now, whether it is known to be new}
Returns
  nil when the board is missing: never loaded, lost, or loaded into another life of the server, whose data a restart may
  have brought back older than it was. Else struct ">d" of the epoch, then for each submission a byte of its KIND, and behind
    accepted, repeated: ENTRY, and ENTRY of the player's entry before it or 0 as ">I2" for none
    full: 0 as a byte for the player's entries, 1 for the tournament's   tooFast: milliseconds to wait as ">I2"

Numbers are doubles all the way: what msgpack, struct and the "%.17g" that Redis makes of a script's numbers hold is exact.

Atomic because an entry's number, what it makes of the standing, and the rank told belong together, and each counts once.
The first write fails as a whole when memory is short; later ones then do not. It takes the numbers of the whole batch, so that
a decision that fails leaves a gap: numbers given before it in the batch are not given again.
]]
local META, PLAYERS, RANKS = unpack(KEYS)
local RUN, OPERATOR, ORDER = ARGV[1], ARGV[2], ARGV[3]
local MAX_ENTRIES, MAX_SUBMISSIONS = tonumber(ARGV[4]), tonumber(ARGV[5])
local MIN_SCORE, MAX_SCORE, PER_MINUTE, REMEMBERED = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local MINUTE = 60000
local SIGN = ORDER == "desc" and -1 or 1

local HEADER = ">dI4I2I2B"
local PLACE = ">I8I8c0"
-- bytes that follow, entryNo, score, subscore, best, bestSubscore, seq, reachedSeq, toldRank, submission id, name
local ENTRY = ">I2I4di4ddI5I5I4Bc0Bc0"
local NUMBERS = ">I2I4di4ddI5I5I4"
local ENTRY_BYTES = 48
local NO_ENTRY = struct.pack(">I2", 0)
local ACCEPTED, REPEATED, UNSURE, OUT_OF_BOUNDS, FULL, TOO_FAST = "\0", "\1", "\2", "\3", "\4", "\5"

local meta = redis.call("HMGET", META, "run", "epoch", "seq", "submissions")
if meta[1] ~= RUN then
  return false
end
local seq, submissions = tonumber(meta[3]), tonumber(meta[4])

local function place(id, subscore, reachedSeq)
  return struct.pack(PLACE, 2 ^ 52 + SIGN * subscore, reachedSeq, id)
end

-- What counts once an entry has been added to what the player has, if anything.
local function combine(best, bestSubscore, score, subscore)
  if not best or OPERATOR == "last" then
    return score, subscore
  elseif OPERATOR == "best" then
    local difference = SIGN * (score - best)
    if score == best then
      difference = SIGN * (subscore - bestSubscore)
    end
    if difference < 0 then
      return score, subscore
    end
    return best, bestSubscore
  end
  return best + score, bestSubscore + subscore
end

-- The submission's entry and the one before it, which are both among those of the packed player.
local function recall(packed, submissionId, idsFrom, entriesFrom)
  local previous, from = NO_ENTRY, entriesFrom
  for id in string.gmatch(string.sub(packed, idsFrom, entriesFrom - 1), "[^\n]+") do
    local bytes, next = struct.unpack(">I2", packed, from)
    local entry = string.sub(packed, from, next + bytes - 1)
    if id == submissionId then
      return REPEATED, entry, previous
    end
    previous, from = entry, next + bytes
  end
end

-- What the packed player remembers, but for the oldest when that is as much as it may: ids, entries, how many.
local function kept(packed, count, idsFrom, entriesFrom)
  local keptFrom = entriesFrom
  if count == REMEMBERED then
    local bytes, next = struct.unpack(">I2", packed, entriesFrom)
    keptFrom, count = next + bytes, count - 1
    idsFrom = string.find(packed, "\n", idsFrom + 1, true)
  end
  return string.sub(packed, idsFrom, entriesFrom - 1), string.sub(packed, keptFrom), count
end

local function decide(id, name, submissionId, score, subscore, now, isKnownNew)
  local packed = redis.call("HGET", PLAYERS, id)
  local windowBegin, windowEntries, entries, count = now, 0, 0, 0
  local previous, oldBest, oldSubscore, reachedSeq = NO_ENTRY, nil, nil, nil
  local ids, remembered, idsFrom, entriesFrom = "\n", "", nil, nil
  if packed then
    local idBytes, latestBytes, _
    windowBegin, windowEntries, idBytes, latestBytes, count, idsFrom = struct.unpack(HEADER, packed)
    entriesFrom = idsFrom + idBytes
    local at = string.find(packed, "\n" .. submissionId .. "\n", idsFrom, true)
    if at and at < entriesFrom then
      return recall(packed, submissionId, idsFrom, entriesFrom)
    end
    previous = string.sub(packed, -latestBytes)
    _, entries, _, _, oldBest, oldSubscore, _, reachedSeq = struct.unpack(NUMBERS, previous)
    if not isKnownNew and entries > count then
      return UNSURE
    end
  end

  local best, bestSubscore = combine(oldBest, oldSubscore, score, subscore)
  local judged = OPERATOR == "increment" and best or score
  if not (judged >= MIN_SCORE and judged <= MAX_SCORE and math.abs(best) < math.huge) then
    return OUT_OF_BOUNDS
  elseif entries >= MAX_ENTRIES then
    return FULL, "\0"
  elseif submissions >= MAX_SUBMISSIONS then
    return FULL, "\1"
  end
  -- A clock behind the window's begin has jumped. It begins a new one, for else it could lock the player out for as long.
  if now < windowBegin or now >= windowBegin + MINUTE then
    windowBegin, windowEntries = now, 0
  end
  if windowEntries >= PER_MINUTE then
    return TOO_FAST, struct.pack(">I2", windowBegin + MINUTE - now)
  end

  seq, submissions = seq + 1, submissions + 1
  local newPlace
  if best == oldBest and bestSubscore == oldSubscore then
    newPlace = place(id, bestSubscore, reachedSeq)
  else
    if packed then
      redis.call("ZREM", RANKS, place(id, oldSubscore, reachedSeq))
    end
    reachedSeq = seq
    newPlace = place(id, bestSubscore, reachedSeq)
    redis.call("ZADD", RANKS, SIGN * best, newPlace)
  end
  local rank = redis.call("ZRANK", RANKS, newPlace) + 1
  local bytes = ENTRY_BYTES + #submissionId + #name
  local entry = struct.pack(
    ENTRY, bytes, entries + 1, score, subscore, best, bestSubscore, seq, reachedSeq, rank,
    #submissionId, submissionId, #name, name
  )
  if packed then
    ids, remembered, count = kept(packed, count, idsFrom, entriesFrom)
  end
  local header = struct.pack(HEADER, windowBegin, windowEntries + 1, #ids + #submissionId + 1, #entry, count + 1)
  redis.call("HSET", PLAYERS, id, header .. ids .. submissionId .. "\n" .. remembered .. entry)
  return ACCEPTED, entry, previous
end

local batch = cmsgpack.unpack(ARGV[10])
local lastSeq = seq + #batch
redis.call("HSET", META, "seq", lastSeq, "submissions", submissions + #batch)

local reply = { struct.pack(">d", tonumber(meta[2])) }
for _, submission in ipairs(batch) do
  local kind, first, second = decide(unpack(submission))
  local size = #reply
  reply[size + 1], reply[size + 2], reply[size + 3] = kind, first or "", second or ""
end
if seq ~= lastSeq then
  redis.call("HSET", META, "seq", seq, "submissions", submissions)
end
return table.concat(reply)
