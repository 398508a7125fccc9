--[[
What is asked, each by the function of its name, and what it is answered. A part of the script that begins with decide.lua, which says
its KEYS, ARGV, what it returns and why it is atomic.

Of an answer, demand is {pool, waiting, issued, unserved}; an entry is {player id, name, row}; served is a list of
{entry, previous row}; a row is {instance, generation, openedAt, expiresAt, attemptsUsed, outcome, closedAt,
points, solveSeq, attemptsBefore, requestMarks}; and what is absent or empty is false.
]]
local decide = {}

local function demand()
  return { pool(), waiting, issued, nextIn(unserved, NONE, 0) ~= nil }
end

-- {"assigned", demand, entry, previous row, revoked row, served}, {"waiting", demand, position, revoked entry, served},
-- {"exhausted", demand, 0, revoked entry, served} or {"cooling", demand, until, revoked entry, served}.
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
  local closed = closedOf(player)
  local found = not isCooling and search(player, closed)
  if found then
    leaveQueue(id)
    player = assign(id, player, name, now, found)
    return { "assigned", demand(), { id, name, player[OPEN] }, player[LAST], revoked, served }
  end
  if not mayStillHave(player, closed) then
    leaveQueue(id)
    return { "exhausted", demand(), 0, revokedEntry, served }
  end
  if isCooling then
    return { "cooling", demand(), availableAt, revokedEntry, served }
  end
  local position = positionOf(id, nodeId, name)
  return { "waiting", demand(), position, revokedEntry, served }
end

-- Takes an answer to the open assignment. Returns what came of it, and the served claims.
local function answer(id, player, correct, points, repeatable, mark, now)
  local row = player[OPEN]
  if now >= row[EXPIRES_AT] then
    revoke(id, player, EXPIRED, now)
    return "revoked", serve(now)
  end
  player[DEPARTED] = nil
  row[USED] = row[USED] + 1
  if mark ~= "" then
    row[MARKS] = row[MARKS] .. string.rep(".", (row[USED] - 1) * MARK_LENGTH - #row[MARKS]) .. mark
  end
  if correct then
    solve(id, player, points, repeatable, now)
    return "solved", false
  end
  if row[BEFORE] + row[USED] >= ATTEMPTS then
    revoke(id, player, EXHAUSTED, now)
    return "revoked", serve(now)
  end
  save(id, player)
  return "wrong", false
end

-- {"wrong" | "solved" | "revoked", demand, entry, total, served, which answer it is about} or {"unknown"}. `mark` is that of the
-- request, or "".
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
    kind, served = answer(id, player, correct, points, repeatable, mark, now)
  end
  return { kind, demand(), { id, player[NAME], row }, player[SCORE], served, row[USED] }
end

-- As `solve` is answered.
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

-- {"departed", whether an assignment is marked}
function decide.depart(id, token)
  local player = find(id)
  local isMarked = player and player[OPEN] and true or false
  if isMarked then
    player[DEPARTED] = token
    saveUnseen(id, player)
  end
  return { "departed", isMarked }
end

-- As `solve` is answered.
function decide.giveUp(id, token, now)
  local player = find(id)
  local row = player and player[OPEN]
  if not row or player[DEPARTED] ~= token then
    return { "unknown" }
  end
  return decide.giveBack(id, row[INSTANCE], row[GENERATION], now)
end

-- {"attended", whether the player waits, and was on a node}
function decide.attend(id, nodeId)
  welcome(id, find(id))
  local waiter = waiterOf(id)
  local isThere = waiter and #waiter > 1 or false
  if isThere then
    attend(id, waiter, nodeId)
  end
  return { "attended", isThere }
end

local function setOf(list)
  local set = {}
  for _, item in ipairs(list) do
    set[item] = true
  end
  return set
end

-- {"forgotten"}. `live` are the ids of the nodes that live.
function decide.forget(id, nodeId, live)
  local waiter, stay = waiterOf(id), setOf(live)
  stay[nodeId] = nil
  if waiter then
    keepNodes(id, waiter, stay, true)
  end
  return { "forgotten" }
end

-- {"swept", the place to go on behind, or false}
function decide.sweep(live, after, drop)
  local stay, place = setOf(live), after
  local page = redis.call("ZRANGEBYSCORE", WAITING, "(" .. after, "+inf", "WITHSCORES", "LIMIT", 0, STEP)
  for at = 1, #page, 2 do
    keepNodes(page[at], waiterOf(page[at]), stay, drop)
    place = tonumber(page[at + 1])
  end
  return { "swept", #page == 2 * STEP and place }
end

-- {"issued", demand, served}. Who waits may have nothing that is free, so no more are served than instances added.
function decide.issue(upTo, now)
  local reached = math.min(upTo, TOTAL, waiting > STEP and issued + STEP or TOTAL)
  if reached > issued then
    put(reached)
  end
  local served = serve(now)
  return { "issued", demand(), served }
end

-- {"expired", demand, served, revoked entries, whether there is more to do}
function decide.expire(now)
  local revoked = {}
  for _, id in ipairs(redis.call("ZRANGEBYSCORE", EXPIRY, "-inf", now, "LIMIT", 0, STEP)) do
    local player = find(id)
    revoked[#revoked + 1] = { id, player[NAME], revoke(id, player, EXPIRED, now) }
  end
  local more = #revoked == STEP and redis.call("ZCOUNT", EXPIRY, "-inf", now) > 0
  local served = serve(now)
  return { "expired", demand(), served, #revoked > 0 and revoked, more or nextIn(unserved, NONE, 0) ~= nil }
end
