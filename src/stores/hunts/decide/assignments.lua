--[[
Assignments from their opening to their end, and what a player has done with each template. A part of the script that begins with
decide.lua, which says its KEYS, ARGV, what it returns and why it is atomic.
]]
-- The player is there: their departure is void.
local function welcome(id, player)
  if player and player[DEPARTED] then
    player[DEPARTED] = nil
    saveUnseen(id, player)
  end
end

-- Gives what was found to a player without an open assignment.
local function assign(id, player, name, now, found)
  player = player or { name, 0, false, false, 0, "", "", false }
  take(found)
  local tried = triedOf(player, found[1])
  player[NAME] = name
  player[OPEN] = { found[2], found[3], now, now + TTL, 0, 0, 0, 0, 0, tried and tried[1] or 0, "" }
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
  if row[USED] == 0 or isIn(player[CLOSED], template) or isIn(player[KNOWN], template) then
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
  lose(player, row[INSTANCE] % TEMPLATE_COUNT, row)
  save(id, player)
  putBack(row[INSTANCE], row[GENERATION] + 1)
  return row
end

-- Closes the open assignment as solved, and counts its points.
local function solve(id, player, points, repeatable, now)
  local row = player[OPEN]
  local template = row[INSTANCE] % TEMPLATE_COUNT
  solveSeq, solved = solveSeq + 1, solved + 1
  countSolved(template)
  row[POINTS], row[SOLVE_SEQ] = points, solveSeq
  player[SCORE] = player[SCORE] + points
  close(id, player, SOLVED, now)
  learn(player, template, repeatable)
  save(id, player)
  redis.call("ZADD", SCORES, player[SCORE] * 2 ^ 24 + (2 ^ 24 - 1 - solveSeq), id)
  made[SCORES] = true
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

-- Which answer to an assignment (from 1) came by this mark, or nil.
local function answerBy(row, mark)
  for at = 1, mark ~= "" and #row[MARKS] or 0, MARK_LENGTH do
    if string.sub(row[MARKS], at, at + MARK_LENGTH - 1) == mark then
      return (at - 1) / MARK_LENGTH + 1
    end
  end
end
