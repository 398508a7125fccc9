--[[
Decides a batch of submissions to one board, in order.

KEYS (all with the hash tag {board:ID})
  1 meta     HASH  run, epoch, expiresAt, seq (of the latest entry), submissions (entries taken)
  2 players  HASH  player id -> what is remembered of the player:
                     struct HEADER: begin of the rate's window, entries in it, how many entries follow, bytes of the latest, and of
                       the names
                     a MARK of each entry's submission id, oldest first: 4 bytes of the caller's, the same for the same id
                     the names, newest first: number of the first entry under it (">I4"), and the name (">Bc0")
                     the entries, oldest first: struct ENTRY each
                   The latest entry says how the player stands.
  3 ranks    ZSET  who stands where, the best first: by the score (negated when more is better), then by the member: struct
                   PLACE of the subscore (as a number that is less when better), reachedSeq and player id
ARGV
  1 run id of the Redis server that the caller talks to   2 operator   3 order   4 entries a player   5 entries of all players
  6 lowest score   7 highest score   8 entries a player and minute   9 latest entries of a player to remember
  10 the submissions: struct SUBMISSION each, of the player id, the MARK of the submission id, the submission id, the name (as
     above), score, subscore, now, and 1 when it is known to be new   11 how many they are
Returns
  nil when the board is missing: never loaded, lost, or loaded into another life of the server, whose data a restart may
  have brought back older than it was. Else struct ">d" of the epoch, then for each submission a byte of its KIND, and behind
    accepted: its ENTRY; then the player's entry before it: ENTRY and name (">Bc0", or SAME), or NO_ENTRY
    repeated: its ENTRY and name; then the entry before it as above, or NO_ENTRY
    full: 0 as a byte for the player's entries, 1 for the tournament's   tooFast: milliseconds to wait as ">I2"

Scores are whole numbers of at most LARGEST_SCORE either way (src/entities/tournaments/precision.ts), and so is what they come to.
Numbers are doubles all the way: what struct and the "%.17g" that Redis makes of a script's numbers hold is exact, and so is the sum
of two such scores.

Redis' Lua hashes every byte of every string that it makes, and only the ranks cost more than that: hence a mark that tells an id
from most others, and each name but once.

Atomic because an entry's number, what it makes of the standing, and the rank told belong together, and each counts once.
The first write fails as a whole when memory is short; later ones then do not. It takes the numbers of the whole batch, so that
a decision that fails leaves a gap: numbers given before it in the batch are not given again.
]]
local call, pack, unpackBytes = redis.call, struct.pack, struct.unpack
local sub, find, byte = string.sub, string.find, string.byte
local META, PLAYERS, RANKS = unpack(KEYS)
local RUN, OPERATOR, ORDER = ARGV[1], ARGV[2], ARGV[3]
local MAX_ENTRIES, MAX_SUBMISSIONS = tonumber(ARGV[4]), tonumber(ARGV[5])
local MIN_SCORE, MAX_SCORE, PER_MINUTE, REMEMBERED = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local MINUTE = 60000
local LARGEST_SCORE = 1e15
local SIGN = ORDER == "desc" and -1 or 1

local HEADER, MARKS_AT, MARK_BYTES = ">dI4BBI2", 17, 4
local SUBMISSION = ">Bc0c4Bc0Bc0di4dB"
local PLACE = ">I8I8c0"
-- entryNo, score, subscore, best, bestSubscore, seq, reachedSeq, toldRank, submission id
local ENTRY = ">I4di4ddI5I5I4Bc0"
local NUMBERS, NUMBERS_BYTES = ">I4di4ddI5I5I4", 46
local NO_ENTRY, SAME = pack(">I4", 0), "\255"
local ACCEPTED, REPEATED, UNSURE, OUT_OF_BOUNDS, FULL, TOO_FAST = "\0", "\1", "\2", "\3", "\4", "\5"

local meta = call("HMGET", META, "run", "epoch", "seq", "submissions")
if meta[1] ~= RUN then
  return false
end
local seq, submissions = tonumber(meta[3]), tonumber(meta[4])

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

-- The name under which the packed player made an entry that is remembered.
local function nameOf(packed, namesAt, entryNo)
  local since, length, from
  local next = namesAt
  repeat
    since, length, from = unpackBytes(">I4B", packed, next)
    next = from + length
  until since <= entryNo
  return sub(packed, from - 1, next - 1)
end

-- The packed player's names, with a new one from an entry on, and without those of which no entry will be remembered.
local function renamed(packed, namesAt, entriesAt, name, entryNo)
  local next, before, length = namesAt, entryNo, nil
  while next < entriesAt and before > entryNo - REMEMBERED + 1 do
    before, length, next = unpackBytes(">I4B", packed, next)
    next = next + length
  end
  return pack(">I4", entryNo) .. name .. sub(packed, namesAt, next - 1)
end

-- The submission's entry and the one before it, with their names, if they are among the latest of the packed player.
local function recall(submissionId, packed, namesAt, entriesAt)
  local previous, from = NO_ENTRY, entriesAt
  while from <= #packed do
    local idAt = from + NUMBERS_BYTES + 1
    local next = idAt + byte(packed, idAt - 1)
    local entry = sub(packed, from, next - 1) .. nameOf(packed, namesAt, unpackBytes(">I4", packed, from))
    if sub(packed, idAt, next - 1) == submissionId then
      return entry, previous
    end
    previous, from = entry, next
  end
end

-- Puts a player where the entry with the latest number has brought them, if elsewhere. When they got there, and their rank.
local function stand(id, oldBest, oldSubscore, reachedSeq, best, bestSubscore)
  if best == oldBest and bestSubscore == oldSubscore then
    return reachedSeq, call("ZRANK", RANKS, pack(PLACE, 2 ^ 52 + SIGN * bestSubscore, reachedSeq, id)) + 1
  end
  local place = pack(PLACE, 2 ^ 52 + SIGN * bestSubscore, seq, id)
  call("ZADD", RANKS, SIGN * best, place)
  -- Afterwards: a collection that is empty for a moment forgets when it ends.
  if oldBest then
    call("ZREM", RANKS, pack(PLACE, 2 ^ 52 + SIGN * oldSubscore, reachedSeq, id))
  end
  return seq, call("ZRANK", RANKS, place) + 1
end

local function decide(id, mark, submissionId, name, score, subscore, now, isKnownNew)
  local packed = call("HGET", PLAYERS, id)
  local windowBegin, windowEntries, entries, count = now, 0, 0, 0
  local previous, namesAt, entriesAt, oldBest, oldSubscore, reachedSeq
  if packed then
    local latestBytes, namesBytes, _
    windowBegin, windowEntries, count, latestBytes, namesBytes = unpackBytes(HEADER, packed)
    namesAt = MARKS_AT + MARK_BYTES * count
    entriesAt = namesAt + namesBytes
    previous = sub(packed, -latestBytes)
    entries, _, _, oldBest, oldSubscore, _, reachedSeq = unpackBytes(NUMBERS, previous)
    local at = find(packed, mark, MARKS_AT, true)
    if at and at < namesAt then
      local entry, before = recall(submissionId, packed, namesAt, entriesAt)
      if entry then
        return REPEATED, entry, before
      end
    end
    if isKnownNew == 0 and entries > count then
      return UNSURE
    end
  end

  local best, bestSubscore = combine(oldBest, oldSubscore, score, subscore)
  local judged = OPERATOR == "increment" and best or score
  if not (judged >= MIN_SCORE and judged <= MAX_SCORE and math.abs(best) <= LARGEST_SCORE) then
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
    return TOO_FAST, pack(">I2", windowBegin + MINUTE - now)
  end

  seq, submissions = seq + 1, submissions + 1
  local rank
  reachedSeq, rank = stand(id, oldBest, oldSubscore, reachedSeq, best, bestSubscore)
  local entry = pack(
    ENTRY, entries + 1, score, subscore, best, bestSubscore, seq, reachedSeq, rank, #submissionId, submissionId
  )

  if not packed then
    local names = pack(">I4", 1) .. name
    local header = pack(HEADER, windowBegin, windowEntries + 1, 1, #entry, #names)
    call("HSET", PLAYERS, id, header .. mark .. names .. entry)
    return ACCEPTED, entry, NO_ENTRY
  end
  local names, previousName
  if sub(packed, namesAt + 4, namesAt + 3 + #name) == name then
    names, previousName = sub(packed, namesAt, entriesAt - 1), SAME
  else
    names, previousName = renamed(packed, namesAt, entriesAt, name, entries + 1), nameOf(packed, namesAt, entries)
  end
  local marksAt, keptAt = MARKS_AT, entriesAt
  if count == REMEMBERED then
    marksAt, count = marksAt + MARK_BYTES, count - 1
    keptAt = entriesAt + NUMBERS_BYTES + 1 + byte(packed, entriesAt + NUMBERS_BYTES)
  end
  local header = pack(HEADER, windowBegin, windowEntries + 1, count + 1, #entry, #names)
  call("HSET", PLAYERS, id, header .. sub(packed, marksAt, namesAt - 1) .. mark .. names .. sub(packed, keptAt) .. entry)
  return ACCEPTED, entry, previous, previousName
end

local batch, count = ARGV[10], tonumber(ARGV[11])
local lastSeq = seq + count
call("HSET", META, "seq", lastSeq, "submissions", submissions + count)

local reply, size, from = { pack(">d", tonumber(meta[2])) }, 1, 1
local id, mark, submissionId, name, score, subscore, now, isKnownNew
for _ = 1, count do
  id, mark, submissionId, name, score, subscore, now, isKnownNew, from = unpackBytes(SUBMISSION, batch, from)
  local kind, first, second, third = decide(id, mark, submissionId, name, score, subscore, now, isKnownNew)
  reply[size + 1], reply[size + 2], reply[size + 3], reply[size + 4] = kind, first or "", second or "", third or ""
  size = size + 4
end
if lastSeq == count then
  -- With the first entries the collections have come to be: they end with the board.
  local expiresAt = call("HGET", META, "expiresAt")
  call("PEXPIREAT", PLAYERS, expiresAt)
  call("PEXPIREAT", RANKS, expiresAt)
end
if seq ~= lastSeq then
  call("HSET", META, "seq", seq, "submissions", submissions)
end
return table.concat(reply)
