--[[
Decides a batch of requests of one hunt, in order.

KEYS (all with the hash tag {hunt:ID})
  1 meta      HASH  run, epoch, expiresAt, issued, fresh, solved, solveSeq, waitSeq, version
  2 players   HASH  player id -> cmsgpack {name, total, open row or false, last closed row or false}
  3 returned  ZSET  "instance:generation" of each returned instance (generation of its next holder), by instance
  4 expiry    ZSET  player id of each open assignment, by expiresAt
  5 waiting   ZSET  player id of each waiting claim, by order of arrival
  6 waiters   HASH  player id -> cmsgpack {node id, name} of each waiting claim
  7 scores    ZSET  player id, by points * 2^24 + (2^24 - 1 - solveSeq)
ARGV
  1 run id of the Redis server that the caller talks to
  2 clueTtlMs   3 attempts   4 instances there will ever be   5 most revoked or served by one issue or expire
  6 JSON: the requests, each one of
    ["claim", player id, name, node id, now]
    ["solve", player id, instance, generation, correct, points, now]
    ["forget", player id, node id]   ["issue", issued, now]   ["expire", now]
Returns
  nil when the hunt is missing: never loaded, lost, or loaded into another life of the server, whose data a restart may
  have brought back older than it was. Else JSON {epoch, answers}, an answer to each request, each one of
    {"assigned", demand, entry, previous row, revoked row, served}
    {"waiting", demand, position, revoked entry, served}
    {"wrong" | "solved" | "revoked", demand, entry, total, served}   {"unknown"}   {"forgotten"}
    {"issued", demand, served}   {"expired", demand, served, revoked entries, more}
  where demand is {pool, waiting, issued}; an entry is {player id, name, row}; served is a list of
  {node id, entry, previous row}; a row is {instance, generation, openedAt, expiresAt, attemptsUsed, outcome, closedAt,
  points, solveSeq}; and what is absent or empty is false.

Atomic because a decision moves an instance between pool, player and queue, and any state between those would give it
twice, lose it, or overtake who waits. The first write fails as a whole when memory is short; later ones then do not.
]]
local META, PLAYERS, RETURNED, EXPIRY, WAITING, WAITERS, SCORES = unpack(KEYS)
local RUN, TTL, ATTEMPTS, TOTAL, STEP = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local NAME, SCORE, OPEN, LAST = 1, 2, 3, 4
local INSTANCE, GENERATION, OPENED_AT, EXPIRES_AT, USED, OUTCOME, CLOSED_AT, POINTS, SOLVE_SEQ = 1, 2, 3, 4, 5, 6, 7, 8, 9
local SOLVED, EXHAUSTED, EXPIRED = 1, 2, 3

local meta = redis.call("HMGET", META, "run", "epoch", "issued", "fresh", "solved", "solveSeq", "waitSeq", "version", "expiresAt")
if meta[1] ~= RUN then
  return false
end
local epoch, issued, fresh, solved = tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4]), tonumber(meta[5])
local solveSeq, waitSeq, version = tonumber(meta[6]), tonumber(meta[7]), tonumber(meta[8])
local loadedVersion = version
local returned, waiting = redis.call("ZCARD", RETURNED), redis.call("ZCARD", WAITING)

-- Collections that this batch may have made, or made again: they must end with the rest.
local made = {}

local function pool()
  return returned + issued - fresh
end

local function demand()
  return { pool(), waiting, issued }
end

local function find(id)
  local packed = redis.call("HGET", PLAYERS, id)
  return packed and cmsgpack.unpack(packed)
end

local function save(id, player)
  redis.call("HSET", PLAYERS, id, cmsgpack.pack(player))
  version = version + 1
end

-- The front of the pool, which must not be empty.
local function take()
  if returned > 0 then
    returned = returned - 1
    local instance, generation = string.match(redis.call("ZPOPMIN", RETURNED)[1], "^(%d+):(%d+)$")
    return tonumber(instance), tonumber(generation)
  end
  fresh = fresh + 1
  return fresh - 1, 1
end

-- Gives the front of the pool, which must not be empty, to a player without an open assignment.
local function assign(id, player, name, now)
  player = player or { name, 0, false, false }
  local instance, generation = take()
  player[NAME] = name
  player[OPEN] = { instance, generation, now, now + TTL, 0, 0, 0, 0, 0 }
  save(id, player)
  redis.call("ZADD", EXPIRY, now + TTL, id)
  made[PLAYERS], made[EXPIRY] = true, true
  return player
end

-- Closes the open assignment; the caller saves the player.
local function close(id, player, outcome, now)
  local row, last = player[OPEN], player[LAST]
  row[OUTCOME] = outcome
  -- Strictly after the closing before it, so that a rebuild knows which one was last, whatever the nodes' clocks say.
  row[CLOSED_AT] = math.max(now, row[OPENED_AT], last and last[CLOSED_AT] + 1 or 0)
  player[OPEN], player[LAST] = false, row
  redis.call("ZREM", EXPIRY, id)
  return row
end

local function revoke(id, player, outcome, now)
  local row = close(id, player, outcome, now)
  save(id, player)
  redis.call("ZADD", RETURNED, row[INSTANCE], row[INSTANCE] .. ":" .. (row[GENERATION] + 1))
  made[RETURNED] = true
  returned = returned + 1
  return row
end

local function serve(now)
  local served = {}
  while waiting > 0 and pool() > 0 do
    waiting = waiting - 1
    local id = redis.call("ZPOPMIN", WAITING)[1]
    local nodeId, name = unpack(cmsgpack.unpack(redis.call("HGET", WAITERS, id)))
    redis.call("HDEL", WAITERS, id)
    local player = assign(id, find(id), name, now)
    served[#served + 1] = { nodeId, { id, name, player[OPEN] }, player[LAST] }
  end
  return #served > 0 and served
end

local function positionOf(id, nodeId, name)
  local rank = waiting > 0 and redis.call("ZRANK", WAITING, id)
  redis.call("HSET", WAITERS, id, cmsgpack.pack({ nodeId, name }))
  if rank then
    return rank + 1
  end
  waitSeq, waiting, version = waitSeq + 1, waiting + 1, version + 1
  redis.call("ZADD", WAITING, waitSeq, id)
  made[WAITING], made[WAITERS] = true, true
  return waiting
end

local decide = {}

function decide.claim(id, name, nodeId, now)
  local player = find(id)
  local revoked, served = false, false
  if player and player[OPEN] then
    if now < player[OPEN][EXPIRES_AT] then
      return { "assigned", demand(), { id, player[NAME], player[OPEN] }, player[LAST], false, false }
    end
    revoked = revoke(id, player, EXPIRED, now)
    served = serve(now)
  end
  -- A pool that is not empty means that nobody waits, this player included.
  if pool() > 0 then
    player = assign(id, player, name, now)
    return { "assigned", demand(), { id, name, player[OPEN] }, player[LAST], revoked, served }
  end
  local position = positionOf(id, nodeId, name)
  return { "waiting", demand(), position, revoked and { id, player[NAME], revoked }, served }
end

local function answer(id, player, correct, points, now)
  local row = player[OPEN]
  if now >= row[EXPIRES_AT] then
    revoke(id, player, EXPIRED, now)
    return "revoked", row, serve(now)
  end
  row[USED] = row[USED] + 1
  if correct then
    solveSeq, solved = solveSeq + 1, solved + 1
    row[POINTS], row[SOLVE_SEQ] = points, solveSeq
    player[SCORE] = player[SCORE] + points
    close(id, player, SOLVED, now)
    save(id, player)
    redis.call("ZADD", SCORES, player[SCORE] * 2 ^ 24 + (2 ^ 24 - 1 - solveSeq), id)
    made[SCORES] = true
    return "solved", row, false
  end
  if row[USED] >= ATTEMPTS then
    revoke(id, player, EXHAUSTED, now)
    return "revoked", row, serve(now)
  end
  save(id, player)
  return "wrong", row, false
end

function decide.solve(id, instance, generation, correct, points, now)
  local player = find(id)
  local function isAsked(row)
    return row and row[INSTANCE] == instance and row[GENERATION] == generation
  end
  local kind, row, served
  if player and isAsked(player[OPEN]) then
    kind, row, served = answer(id, player, correct, points, now)
  elseif player and isAsked(player[LAST]) then
    row, served = player[LAST], false
    kind = row[OUTCOME] == SOLVED and "solved" or "revoked"
  else
    return { "unknown" }
  end
  return { kind, demand(), { id, player[NAME], row }, player[SCORE], served }
end

function decide.forget(id, nodeId)
  local packed = redis.call("HGET", WAITERS, id)
  if packed and cmsgpack.unpack(packed)[1] == nodeId then
    redis.call("HDEL", WAITERS, id)
    redis.call("ZREM", WAITING, id)
    waiting, version = waiting - 1, version + 1
  end
  return { "forgotten" }
end

-- Who waits has found the pool empty, so no more are served than instances added.
function decide.issue(upTo, now)
  local reached = math.min(upTo, TOTAL, waiting > STEP and issued + STEP or TOTAL)
  if reached > issued then
    issued, version = reached, version + 1
  end
  local served = serve(now)
  return { "issued", demand(), served }
end

function decide.expire(now)
  local revoked = {}
  for _, id in ipairs(redis.call("ZRANGEBYSCORE", EXPIRY, "-inf", now, "LIMIT", 0, STEP)) do
    local player = find(id)
    revoked[#revoked + 1] = { id, player[NAME], revoke(id, player, EXPIRED, now) }
  end
  local more = #revoked == STEP and redis.call("ZCOUNT", EXPIRY, "-inf", now) > 0
  local served = serve(now)
  return { "expired", demand(), served, #revoked > 0 and revoked, more }
end

local answers = {}
for index, request in ipairs(cjson.decode(ARGV[6])) do
  answers[index] = decide[request[1]](unpack(request, 2))
end
for key in pairs(made) do
  redis.call("PEXPIREAT", key, meta[9])
end
if version ~= loadedVersion then
  redis.call("HSET", META, "issued", issued, "fresh", fresh, "solved", solved, "solveSeq", solveSeq, "waitSeq", waitSeq, "version", version)
end
return cjson.encode({ epoch, answers })
