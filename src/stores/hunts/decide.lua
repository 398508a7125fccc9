--[[
Decides a batch of requests of one hunt, in order.

KEYS (all with one hash tag)
  1 meta       HASH  run, epoch, expiresAt, issued, fresh (instances ever given), solved, solveSeq, waitSeq, version, unserved,
                     pauses (how often the hunt was paused and resumed; absent: never)
  2 players    HASH  player id -> cmsgpack {name, total, open row or false, last closed row or false, instances solved,
                     closed, known, tried, departed}; departed is the token by which the player left for good while the row was
                     open (absent: they did not, or were heard of since); closed and known are sets of templates, a bit each (`TemplateSet`); tried is false
                     or template -> {wrong answers, lost instance, …} (`TemplateHistory`)
  3 returned   ZSET  "instance:generation" of each returned instance (generation of its next holder), by template * 2^24 + instance
  4 fronts     ZSET  each template that has a free instance, by its lowest one
  5 templates  HASH  "n" .. template -> its lowest instance that was never given (absent: the template itself)
                     "s" .. template -> how many of its instances are solved (absent: 0)
                     "c" .. template -> the place in the queue up to which it has been offered (absent: 0)
                     "h" .. template -> from which place on it is to be offered anew when more of it becomes free (absent or -1: none)
  6 expiry     ZSET  player id of each open assignment, by expiresAt
  7 waiting    ZSET  player id of each waiting claim, by order of arrival
  8 waiters    HASH  player id -> cmsgpack {name, id of a node that they are on, …} of each waiting claim; who is on none is not served
  9 scores     ZSET  player id, by points * 2^24 + (2^24 - 1 - solveSeq)
ARGV
  1 run id of the Redis server that the caller talks to
  2 clueTtlMs   3 attempts   4 instances there will ever be
  5 most revoked or served by one issue or expire, and most who are looked at in vain by one serving, or by one sweep
  6 templates   7 instances that a player may solve, or 0   8 cooldownMs
  9 how often the hunt was paused and resumed, as far as the caller knows
  10 JSON: the requests, each one of
    ["claim", player id, name, node id, now]
    ["solve", player id, instance, generation, correct, points, repeatable, mark of the request or "", now]
    ["giveBack", player id, instance, generation, now]   ["depart", player id, token]   ["giveUp", player id, token, now]
    ["attend", player id, node id]   ["forget", player id, node id, ids of the nodes that live]
    ["sweep", ids of the nodes that live, place, drop]   ["issue", issued, now]   ["expire", now]
Returns
  nil when the hunt is missing: never loaded, lost, or loaded into another life of the server, whose data a restart may
  have brought back older than it was. JSON {epoch} when the hunt was paused or resumed more often than the caller knows: nothing
  is decided. Else JSON {epoch, answers}, an answer to each request, each one of
    {"assigned", demand, entry, previous row, revoked row, served}
    {"waiting", demand, position, revoked entry, served}
    {"exhausted", demand, 0, revoked entry, served}   {"cooling", demand, until, revoked entry, served}
    {"wrong" | "solved" | "revoked", demand, entry, total, served, which answer it is about}   {"unknown"}
    {"departed", whether a row is marked}   {"attended", whether the player waits, and was on a node}   {"forgotten"}   {"swept", the place to go on behind, or false}
    {"issued", demand, served}   {"expired", demand, served, revoked entries, more}
  where demand is {pool, waiting, issued, unserved}; an entry is {player id, name, row}; served is a list of
  {entry, previous row}; a row is {instance, generation, openedAt, expiresAt, attemptsUsed, outcome, closedAt,
  points, solveSeq, attemptsBefore, requestMarks}; and what is absent or empty is false.

Who waits may have nothing that is free, so what becomes free is offered to the queue, once: what a player may have does not
change while they wait, so nobody at or before a template's place "c" need be looked at again for it; but for a player who may
have the template, and has lost all that was free of it, or is on no node: the first such place is "h".

Atomic because a decision moves an instance between pool, player and queue, and any state between those would give it
twice, lose it, or overtake who waits. The first write fails as a whole when memory is short; later ones then do not.
]]
local META, PLAYERS, RETURNED, FRONTS, TEMPLATES, EXPIRY, WAITING, WAITERS, SCORES = unpack(KEYS)
local RUN, TTL, ATTEMPTS, TOTAL, STEP = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local TEMPLATE_COUNT, PER_PLAYER, COOLDOWN, PAUSES = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local NAME, SCORE, OPEN, LAST, SOLVES, CLOSED, KNOWN, TRIED, DEPARTED = 1, 2, 3, 4, 5, 6, 7, 8, 9
local INSTANCE, GENERATION, OPENED_AT, EXPIRES_AT, USED, OUTCOME, CLOSED_AT, POINTS, SOLVE_SEQ, BEFORE, MARKS = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
local SOLVED, EXHAUSTED, EXPIRED, RETURNED_BACK = 1, 2, 3, 4
local SPAN, MARK_LENGTH = 2 ^ 24, 8
local BITS = { [0] = 1, 2, 4, 8, 16, 32, 64, 128 }

local meta = redis.call("HMGET", META, "run", "epoch", "issued", "fresh", "solved", "solveSeq", "waitSeq", "version", "expiresAt", "unserved", "pauses")
if meta[1] ~= RUN then
  return false
end
local epoch, issued, fresh, solved = tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4]), tonumber(meta[5])
local pauses = tonumber(meta[11] or 0)
if PAUSES < pauses then
  return cjson.encode({ epoch })
elseif PAUSES > pauses then
  redis.call("HSET", META, "pauses", PAUSES)
end
local solveSeq, waitSeq, version = tonumber(meta[6]), tonumber(meta[7]), tonumber(meta[8])
local loadedVersion, loadedUnserved = version, meta[10] or ""
local returned, waiting = redis.call("ZCARD", RETURNED), redis.call("ZCARD", WAITING)

-- Collections that this batch may have made, or made again: they must end with the rest.
local made = {}
-- Templates of which something free is not offered to all who wait yet -> whether something is still free.
local freed = {}
-- What is known of the fields of TEMPLATES, and which of them have changed.
local fields, changed = {}, {}

local function pool()
  return returned + issued - fresh
end

local function unserved()
  local templates = {}
  for template in pairs(freed) do
    templates[#templates + 1] = template
  end
  return table.concat(templates, ",")
end

local function demand()
  return { pool(), waiting, issued, next(freed) ~= nil }
end

local function find(id)
  local packed = redis.call("HGET", PLAYERS, id)
  return packed and cmsgpack.unpack(packed)
end

local function save(id, player)
  redis.call("HSET", PLAYERS, id, cmsgpack.pack(player))
  version = version + 1
end

-- The player is there.
local function welcome(id, player)
  if player and player[DEPARTED] then
    player[DEPARTED] = nil
    redis.call("HSET", PLAYERS, id, cmsgpack.pack(player))
  end
end

local function field(name, default)
  if fields[name] == nil then
    fields[name] = tonumber(redis.call("HGET", TEMPLATES, name) or default)
  end
  return fields[name]
end

local function setField(name, value)
  fields[name], changed[name] = value, true
end

local function has(set, template)
  local byte = string.byte(set, math.floor(template / 8) + 1)
  return byte ~= nil and bit.band(byte, BITS[template % 8]) ~= 0
end

local function with(set, template)
  local at = math.floor(template / 8) + 1
  set = set .. string.rep("\0", at - #set)
  return string.sub(set, 1, at - 1) .. string.char(bit.bor(string.byte(set, at), BITS[template % 8])) .. string.sub(set, at + 1)
end

-- Something of the template has become free.
local function free(template)
  freed[template] = true
  local again = field("h" .. template, -1)
  if again >= 0 then
    setField("c" .. template, math.min(again, field("c" .. template, 0)))
    setField("h" .. template, -1)
  end
end

local function may(player, template)
  return not player or not has(player[CLOSED], template)
end

-- {wrong answers, lost instance, …}, or nil.
local function triedOf(player, template)
  return player and player[TRIED] and player[TRIED][template]
end

local function isLost(tried, instance)
  for at = 2, tried and #tried or 0 do
    if tried[at] == instance then
      return true
    end
  end
  return false
end

-- The lowest free instance of a template that is not lost: instance, generation, and its member where it is a returned one.
local function lowest(template, tried)
  local from = template * SPAN
  local count = tried and #tried or 1
  local members = returned > 0 and redis.call("ZRANGEBYSCORE", RETURNED, from, from + SPAN - 1, "LIMIT", 0, count) or {}
  for _, member in ipairs(members) do
    local instance, generation = string.match(member, "^(%d+):(%d+)$")
    if not isLost(tried, tonumber(instance)) then
      return tonumber(instance), tonumber(generation), member
    end
  end
  local never = field("n" .. template, template)
  if never < issued then
    return never, 1
  end
end

-- Brings FRONTS up to date after something of the template was taken or has become free. Returns whether something is free.
local function refront(template)
  local instance = lowest(template)
  if instance then
    redis.call("ZADD", FRONTS, instance, template)
    made[FRONTS] = true
  else
    redis.call("ZREM", FRONTS, template)
  end
  if freed[template] ~= nil then
    freed[template] = instance ~= nil
  end
  return instance ~= nil
end

-- What the player may have of what is free: template, instance, generation, and its member where it is a returned one.
local function search(player)
  local from, size = 0, 4
  repeat
    local page = redis.call("ZRANGE", FRONTS, from, from + size - 1)
    for _, name in ipairs(page) do
      local template = tonumber(name)
      if may(player, template) then
        local instance, generation, member = lowest(template, triedOf(player, template))
        if instance then
          return template, instance, generation, member
        end
      end
    end
    local isLast = #page < size
    from, size = from + size, size * 4
  until isLast
end

-- Gives what was found to a player without an open assignment.
local function assign(id, player, name, now, template, instance, generation, member)
  player = player or { name, 0, false, false, 0, "", "", false }
  if member then
    redis.call("ZREM", RETURNED, member)
    returned = returned - 1
  else
    fresh = fresh + 1
    setField("n" .. template, instance + TEMPLATE_COUNT)
  end
  refront(template)
  local tried = triedOf(player, template)
  player[NAME] = name
  player[OPEN] = { instance, generation, now, now + TTL, 0, 0, 0, 0, 0, tried and tried[1] or 0, "" }
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
  player[OPEN], player[LAST], player[DEPARTED] = false, row, nil
  redis.call("ZREM", EXPIRY, id)
  return row
end

-- As `TemplateHistory` counts a solved assignment.
local function learn(player, template, repeatable)
  player[SOLVES] = player[SOLVES] + 1
  local set = repeatable and KNOWN or CLOSED
  player[set] = with(player[set], template)
  if triedOf(player, template) then
    player[TRIED][template] = nil
    player[TRIED] = next(player[TRIED]) ~= nil and player[TRIED]
  end
end

-- As `TemplateHistory` counts an assignment that is over unsolved.
local function lose(player, template, row)
  if row[USED] == 0 or has(player[CLOSED], template) or has(player[KNOWN], template) then
    return
  end
  local all = player[TRIED] or {}
  local tried = all[template] or { 0 }
  tried[1], tried[#tried + 1] = tried[1] + row[USED], row[INSTANCE]
  if tried[1] >= ATTEMPTS then
    tried = nil
    player[CLOSED] = with(player[CLOSED], template)
  end
  all[template] = tried
  player[TRIED] = next(all) ~= nil and all
end

local function revoke(id, player, outcome, now)
  local row = close(id, player, outcome, now)
  local template = row[INSTANCE] % TEMPLATE_COUNT
  lose(player, template, row)
  save(id, player)
  redis.call("ZADD", RETURNED, template * SPAN + row[INSTANCE], row[INSTANCE] .. ":" .. (row[GENERATION] + 1))
  made[RETURNED] = true
  returned = returned + 1
  free(template)
  refront(template)
  return row
end

local function mayAnyFreed(player)
  for template in pairs(freed) do
    if may(player, template) then
      return true
    end
  end
  return false
end

local function leaveQueue(id)
  if waiting > 0 and redis.call("ZREM", WAITING, id) == 1 then
    redis.call("HDEL", WAITERS, id)
    waiting, version = waiting - 1, version + 1
  end
end

local function waiterOf(id)
  local packed = waiting > 0 and redis.call("HGET", WAITERS, id)
  return packed and cmsgpack.unpack(packed)
end

-- The template has been offered up to a place, and in vain at `held` to somebody who may have it.
local function offered(template, place, held)
  if place > field("c" .. template, 0) then
    setField("c" .. template, place)
  end
  local again = field("h" .. template, -1)
  if held and (again < 0 or held < again) then
    setField("h" .. template, held - 1)
  end
end

-- Ends the offering of what is free no more; of all that has become free where the whole queue was looked at.
local function settle(place, held, isEnd)
  for template, isFree in pairs(freed) do
    if isEnd or not isFree then
      offered(template, place, held[template])
      freed[template] = nil
    end
  end
end

-- Gives what has become free to who waits and may have it, in the order of the queue.
local function serve(now)
  -- Template -> the first place at which it was offered in vain to somebody who may have it.
  local served, inVain, place, held = {}, 0, math.huge, {}
  settle(0, held, waiting == 0)
  for template in pairs(freed) do
    place = math.min(place, field("c" .. template, 0))
  end
  while next(freed) ~= nil and inVain < STEP do
    local page = redis.call("ZRANGEBYSCORE", WAITING, "(" .. place, "+inf", "WITHSCORES", "LIMIT", 0, 64)
    if #page == 0 then
      settle(waitSeq, held, true)
    end
    for at = 1, #page, 2 do
      local id = page[at]
      place = tonumber(page[at + 1])
      local player, waiter = find(id), waiterOf(id)
      local template, instance, generation, member
      if #waiter > 1 and mayAnyFreed(player) then
        template, instance, generation, member = search(player)
      end
      if instance then
        local name = waiter[1]
        leaveQueue(id)
        player = assign(id, player, name, now, template, instance, generation, member)
        served[#served + 1] = { { id, name, player[OPEN] }, player[LAST] }
        settle(place, held, false)
      else
        inVain = inVain + 1
        for template in pairs(freed) do
          held[template] = held[template] or (may(player, template) and place) or nil
        end
      end
      if next(freed) == nil or inVain == STEP then
        break
      end
    end
  end
  for template in pairs(freed) do
    offered(template, place, held[template])
  end
  return #served > 0 and served
end

-- Adds a node to those of a waiting claim, unless it is one of them. `waiter` as in WAITERS.
local function attend(id, waiter, nodeId)
  for at = 2, #waiter do
    if waiter[at] == nodeId then
      return
    end
  end
  waiter[#waiter + 1] = nodeId
  redis.call("HSET", WAITERS, id, cmsgpack.pack(waiter))
end

local function positionOf(id, nodeId, name)
  local rank = waiting > 0 and redis.call("ZRANK", WAITING, id)
  attend(id, waiterOf(id) or { name }, nodeId)
  if rank then
    return rank + 1
  end
  waitSeq, waiting, version = waitSeq + 1, waiting + 1, version + 1
  redis.call("ZADD", WAITING, waitSeq, id)
  made[WAITING], made[WAITERS] = true, true
  return waiting
end

-- Whether any instance, free or not, may come to be this player's. One that they have lost and somebody holds counts until it is back.
local function mayStillHave(player)
  for template = 0, TEMPLATE_COUNT - 1 do
    if may(player, template) then
      local left = math.floor((TOTAL - template - 1) / TEMPLATE_COUNT) + 1 - field("s" .. template, 0)
      local tried = triedOf(player, template)
      for at = 2, tried and left > 0 and #tried or 0 do
        local score = template * SPAN + tried[at]
        left = left - redis.call("ZCOUNT", RETURNED, score, score)
      end
      if left > 0 then
        return true
      end
    end
  end
  return false
end

local decide = {}

function decide.claim(id, name, nodeId, now)
  local player = find(id)
  local revoked, served = false, false
  if player and player[OPEN] then
    if now < player[OPEN][EXPIRES_AT] then
      welcome(id, player)
      return { "assigned", demand(), { id, player[NAME], player[OPEN] }, player[LAST], false, false }
    end
    revoked = revoke(id, player, EXPIRED, now)
    served = serve(now)
  end
  local revokedEntry = revoked and { id, player[NAME], revoked }
  if player and PER_PLAYER > 0 and player[SOLVES] >= PER_PLAYER then
    leaveQueue(id)
    return { "exhausted", demand(), 0, revokedEntry, served }
  end
  local availableAt = COOLDOWN > 0 and player and player[LAST] and player[LAST][CLOSED_AT] + COOLDOWN or 0
  local isCooling = now < availableAt and not redis.call("ZSCORE", WAITING, id)
  local template, instance, generation, member
  if not isCooling then
    template, instance, generation, member = search(player)
  end
  if instance then
    leaveQueue(id)
    player = assign(id, player, name, now, template, instance, generation, member)
    return { "assigned", demand(), { id, name, player[OPEN] }, player[LAST], revoked, served }
  end
  if not mayStillHave(player) then
    leaveQueue(id)
    return { "exhausted", demand(), 0, revokedEntry, served }
  end
  if isCooling then
    return { "cooling", demand(), availableAt, revokedEntry, served }
  end
  local position = positionOf(id, nodeId, name)
  return { "waiting", demand(), position, revokedEntry, served }
end

-- Which answer to an assignment (from 1) came by this mark, or nil.
local function answerBy(row, mark)
  for at = 1, mark ~= "" and #row[MARKS] or 0, MARK_LENGTH do
    if string.sub(row[MARKS], at, at + MARK_LENGTH - 1) == mark then
      return (at - 1) / MARK_LENGTH + 1
    end
  end
end

local function answer(id, player, correct, points, repeatable, mark, now)
  local row = player[OPEN]
  if now >= row[EXPIRES_AT] then
    revoke(id, player, EXPIRED, now)
    return "revoked", row, serve(now)
  end
  player[DEPARTED] = nil
  row[USED] = row[USED] + 1
  if mark ~= "" then
    row[MARKS] = row[MARKS] .. string.rep(".", (row[USED] - 1) * MARK_LENGTH - #row[MARKS]) .. mark
  end
  if correct then
    local template = row[INSTANCE] % TEMPLATE_COUNT
    solveSeq, solved = solveSeq + 1, solved + 1
    setField("s" .. template, field("s" .. template, 0) + 1)
    row[POINTS], row[SOLVE_SEQ] = points, solveSeq
    player[SCORE] = player[SCORE] + points
    close(id, player, SOLVED, now)
    learn(player, template, repeatable)
    save(id, player)
    redis.call("ZADD", SCORES, player[SCORE] * 2 ^ 24 + (2 ^ 24 - 1 - solveSeq), id)
    made[SCORES] = true
    return "solved", row, false
  end
  if row[BEFORE] + row[USED] >= ATTEMPTS then
    revoke(id, player, EXHAUSTED, now)
    return "revoked", row, serve(now)
  end
  save(id, player)
  return "wrong", row, false
end

-- Which assignment of a player's is meant, and whether it is open; nil for none of theirs.
local function findAsked(player, instance, generation)
  for _, which in ipairs({ OPEN, LAST }) do
    local row = player and player[which]
    if row and row[INSTANCE] == instance and row[GENERATION] == generation then
      return row, which == OPEN
    end
  end
end

function decide.solve(id, instance, generation, correct, points, repeatable, mark, now)
  local player = find(id)
  local row, isOpen = findAsked(player, instance, generation)
  if not row then
    return { "unknown" }
  end
  local number = answerBy(row, mark)
  if number and row[BEFORE] + number < ATTEMPTS and not (row[OUTCOME] == SOLVED and number == row[USED]) then
    return { "wrong", demand(), { id, player[NAME], row }, player[SCORE] - row[POINTS], false, number }
  end
  local kind, served = row[OUTCOME] == SOLVED and "solved" or "revoked", false
  if isOpen then
    kind, row, served = answer(id, player, correct, points, repeatable, mark, now)
  end
  return { kind, demand(), { id, player[NAME], row }, player[SCORE], served, row[USED] }
end

function decide.giveBack(id, instance, generation, now)
  local player = find(id)
  local row, isOpen = findAsked(player, instance, generation)
  if not row then
    return { "unknown" }
  end
  local served = false
  if isOpen then
    revoke(id, player, now >= row[EXPIRES_AT] and EXPIRED or RETURNED_BACK, now)
    served = serve(now)
  end
  local kind = row[OUTCOME] == SOLVED and "solved" or "revoked"
  return { kind, demand(), { id, player[NAME], row }, player[SCORE], served, row[USED] }
end

function decide.depart(id, token)
  local player = find(id)
  local isMarked = player and player[OPEN] and true or false
  if isMarked then
    player[DEPARTED] = token
    redis.call("HSET", PLAYERS, id, cmsgpack.pack(player))
  end
  return { "departed", isMarked }
end

function decide.giveUp(id, token, now)
  local player = find(id)
  local row = player and player[OPEN]
  if not row or player[DEPARTED] ~= token then
    return { "unknown" }
  end
  return decide.giveBack(id, row[INSTANCE], row[GENERATION], now)
end

function decide.attend(id, nodeId)
  welcome(id, find(id))
  local waiter = waiterOf(id)
  local isThere = waiter and #waiter > 1 or false
  if isThere then
    attend(id, waiter, nodeId)
  end
  return { "attended", isThere }
end

-- Leaves a waiting claim those of its nodes that are in `stay`; without any it ends, if it is to be dropped then.
local function keepNodes(id, waiter, stay, drop)
  local left = { waiter[1] }
  for at = 2, #waiter do
    left[#left + 1] = stay[waiter[at]] and waiter[at] or nil
  end
  if drop and #left == 1 then
    leaveQueue(id)
  elseif #left < #waiter then
    redis.call("HSET", WAITERS, id, cmsgpack.pack(left))
  end
end

local function setOf(list)
  local set = {}
  for _, item in ipairs(list) do
    set[item] = true
  end
  return set
end

function decide.forget(id, nodeId, live)
  local waiter, stay = waiterOf(id), setOf(live)
  stay[nodeId] = nil
  if waiter then
    keepNodes(id, waiter, stay, true)
  end
  return { "forgotten" }
end

function decide.sweep(live, after, drop)
  local stay, place = setOf(live), after
  local page = redis.call("ZRANGEBYSCORE", WAITING, "(" .. after, "+inf", "WITHSCORES", "LIMIT", 0, STEP)
  for at = 1, #page, 2 do
    keepNodes(page[at], waiterOf(page[at]), stay, drop)
    place = tonumber(page[at + 1])
  end
  return { "swept", #page == 2 * STEP and place }
end

-- Who waits may have nothing that is free, so no more are served than instances added.
function decide.issue(upTo, now)
  local before = issued
  local reached = math.min(upTo, TOTAL, waiting > STEP and issued + STEP or TOTAL)
  if reached > issued then
    issued, version = reached, version + 1
    for instance = before, math.min(issued, before + TEMPLATE_COUNT) - 1 do
      local template = instance % TEMPLATE_COUNT
      free(template)
      -- Otherwise another one that was never given is free already, and is lower.
      if field("n" .. template, template) >= before then
        refront(template)
      end
    end
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
  return { "expired", demand(), served, #revoked > 0 and revoked, more or next(freed) ~= nil }
end

for template in string.gmatch(loadedUnserved, "%d+") do
  freed[tonumber(template)] = true
  refront(tonumber(template))
end
local answers = {}
for index, request in ipairs(cjson.decode(ARGV[10])) do
  answers[index] = decide[request[1]](unpack(request, 2))
end
for name in pairs(changed) do
  redis.call("HSET", TEMPLATES, name, fields[name])
  made[TEMPLATES] = true
end
for key in pairs(made) do
  redis.call("PEXPIREAT", key, meta[9])
end
if version ~= loadedVersion or unserved() ~= loadedUnserved then
  redis.call("HSET", META, "issued", issued, "fresh", fresh, "solved", solved, "solveSeq", solveSeq, "waitSeq", waitSeq, "version", version, "unserved", unserved())
end
return cjson.encode({ epoch, answers })
