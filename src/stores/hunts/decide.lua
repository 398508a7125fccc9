--[[
Decides a batch of requests of one hunt, in order. The script goes on in the files of the folder decide: templates, pool,
assignments, queue, requests, batch; in this order they share their locals.

KEYS (all with one hash tag)
  1 meta       HASH  run, epoch, expiresAt, issued, fresh (instances ever given), solved, solveSeq, waitSeq, version,
                     pauses (how often the hunt was paused and resumed; absent: never), and sets of templates (decide/templates.lua):
                     returnedIn (of which a returned instance is free), neverIn (of which an issued one was never given),
                     leftIn (not all instances of which, issued or not, are solved), unserved (of which something free is not
                     offered to all who wait yet)
  2 players    HASH  player id -> cmsgpack {name, total, open row or false, last closed row or false, instances solved,
                     closed, known, tried, departed}; closed and known are sets of templates; tried is false or
                     template -> {wrong answers, lost instance, …} (`TemplateHistory`); departed is the token by which the
                     player left for good while the row was open (absent: they did not, or were heard of since)
  3 returned   ZSET  "instance:generation" of each returned instance (generation of its next holder), by template * 2^24 + instance
  4 templates  HASH  "n" .. template -> its lowest instance that was never given (absent: the template itself)
                     "s" .. template -> how many of its instances are solved (absent: 0)
                     "c" .. template -> the place in the queue up to which it has been offered (absent: 0)
                     "h" .. template -> from which place on it is to be offered anew when more of it becomes free (absent or -1: none)
  5 expiry     ZSET  player id of each open assignment, by expiresAt
  6 waiting    ZSET  player id of each waiting claim, by order of arrival
  7 waiters    HASH  player id -> cmsgpack {name, id of a node that they are on, …} of each waiting claim; who is on none is not served
  8 scores     ZSET  player id, by points * 2^24 + (2^24 - 1 - solveSeq)
ARGV
  1 run id of the Redis server that the caller talks to
  2 clueTtlMs   3 attempts   4 instances there will ever be
  5 most revoked or served by one issue or expire, and most who are looked at in vain by one serving, or by one sweep
  6 templates   7 instances that a player may solve, or 0   8 cooldownMs
  9 how often the hunt was paused and resumed, as far as the caller knows
  10 JSON: the requests, each {kind, …} with the arguments of the function of that name in decide/requests.lua
Returns
  nil when the hunt is missing: never loaded, lost, or loaded into another life of the server, whose data a restart may
  have brought back older than it was. JSON {epoch} when the hunt was paused or resumed more often than the caller knows: nothing
  is decided. Else JSON {epoch, answers}, an answer to each request, as decide/requests.lua says.

Atomic because a decision moves an instance between pool, player and queue, and any state between those would give it
twice, lose it, or overtake who waits. The first write fails as a whole when memory is short; later ones then do not.
]]
local META, PLAYERS, RETURNED, TEMPLATES, EXPIRY, WAITING, WAITERS, SCORES = unpack(KEYS)
local RUN, TTL, ATTEMPTS, TOTAL, STEP = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local TEMPLATE_COUNT, PER_PLAYER, COOLDOWN, PAUSES = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local NAME, SCORE, OPEN, LAST, SOLVES, CLOSED, KNOWN, TRIED, DEPARTED = 1, 2, 3, 4, 5, 6, 7, 8, 9
local INSTANCE, GENERATION, OPENED_AT, EXPIRES_AT, USED, OUTCOME, CLOSED_AT, POINTS, SOLVE_SEQ, BEFORE, MARKS = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
local SOLVED, EXHAUSTED, EXPIRED, RETURNED_BACK = 1, 2, 3, 4
local SPAN, MARK_LENGTH = 2 ^ 24, 8

local meta = redis.call("HMGET", META, "run", "epoch", "issued", "fresh", "solved", "solveSeq", "waitSeq", "version", "expiresAt", "pauses", "returnedIn", "neverIn", "leftIn", "unserved")
if meta[1] ~= RUN then
  return false
end
local epoch, issued, fresh, solved = tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4]), tonumber(meta[5])
local solveSeq, waitSeq, version = tonumber(meta[6]), tonumber(meta[7]), tonumber(meta[8])
local pauses = tonumber(meta[10] or 0)
if PAUSES < pauses then
  return cjson.encode({ epoch })
elseif PAUSES > pauses then
  redis.call("HSET", META, "pauses", PAUSES)
end
local loadedVersion = version
local returned, waiting = redis.call("ZCARD", RETURNED), redis.call("ZCARD", WAITING)

-- Collections that this batch may have made, or made again: they must end with the rest.
local made = {}

local function find(id)
  local packed = redis.call("HGET", PLAYERS, id)
  return packed and cmsgpack.unpack(packed)
end

-- Of what is in no view of the hunt.
local function saveUnseen(id, player)
  redis.call("HSET", PLAYERS, id, cmsgpack.pack(player))
end

local function save(id, player)
  saveUnseen(id, player)
  version = version + 1
end
