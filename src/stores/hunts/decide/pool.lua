--[[
What is free. A part of the script that begins with decide.lua, which says its KEYS, ARGV, what it returns and why it is atomic.

Of what a player may have, returned instances come first, by template, then those never given, by turns: from the template
on that is due when all are given in order (fresh modulo templates). Of a template the lowest instance comes first. What a player has
lost is looked at one by one; all else costs the same however many templates there are.
]]
local function pool()
  return returned + issued - fresh
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

-- The lowest returned instance of a template that is not lost: instance, generation, its member, and whether it is the only one.
local function lowestReturned(template, tried)
  local from, most = template * SPAN, tried and #tried or 1
  local members = redis.call("ZRANGEBYSCORE", RETURNED, from, from + SPAN - 1, "LIMIT", 0, most + 1)
  for at = 1, math.min(#members, most) do
    local instance, generation = string.match(members[at], "^(%d+):(%d+)$")
    if not isLost(tried, tonumber(instance)) then
      return tonumber(instance), tonumber(generation), members[at], #members == 1
    end
  end
end

-- What the player may have of what is free: {template, instance, generation, member, whether it is the only one}; no member for
-- one that was never given. Nil when there is none. `closed` as `closedOf` says.
local function search(player, closed)
  local template = returned > 0 and nextIn(returnedIn, closed, 0)
  while template do
    local instance, generation, member, isOnly = lowestReturned(template, triedOf(player, template))
    if instance then
      return { template, instance, generation, member, isOnly }
    end
    template = nextIn(returnedIn, closed, template + 1)
  end
  template = nextIn(neverIn, closed, fresh % TEMPLATE_COUNT) or nextIn(neverIn, closed, 0)
  return template and { template, field("n" .. template, template), 1 }
end

-- Takes out what was found.
local function take(found)
  local template, instance, _, member, isOnly = unpack(found)
  if member then
    redis.call("ZREM", RETURNED, member)
    returned = returned - 1
    if isOnly then
      exclude(returnedIn, template)
    end
  else
    fresh = fresh + 1
    setField("n" .. template, instance + TEMPLATE_COUNT)
    if instance + TEMPLATE_COUNT >= issued then
      exclude(neverIn, template)
    end
  end
  if not has(returnedIn, template) and not has(neverIn, template) then
    exclude(unserved, template)
  end
end

-- Something of the template has become free.
local function free(template)
  if waiting == 0 then
    return
  end
  include(unserved, template)
  local again = field("h" .. template, -1)
  if again >= 0 then
    setField("c" .. template, math.min(again, field("c" .. template, 0)))
    setField("h" .. template, -1)
  end
end

local function putBack(instance, generation)
  local template = instance % TEMPLATE_COUNT
  redis.call("ZADD", RETURNED, template * SPAN + instance, instance .. ":" .. generation)
  made[RETURNED] = true
  returned = returned + 1
  include(returnedIn, template)
  free(template)
end

-- Puts instances up to (not including) `upTo` into the pool.
local function put(upTo)
  local before = issued
  issued, version = upTo, version + 1
  for instance = before, math.min(issued, before + TEMPLATE_COUNT) - 1 do
    local template = instance % TEMPLATE_COUNT
    include(neverIn, template)
    free(template)
  end
end

-- Whether any instance, free or not, may come to be this player's. One that they have lost and somebody holds counts until it is back.
local function mayStillHave(player, closed)
  local template = nextIn(leftIn, closed, 0)
  while template do
    local tried = triedOf(player, template)
    local left = math.floor((TOTAL - template - 1) / TEMPLATE_COUNT) + 1 - (tried and field("s" .. template, 0) or 0)
    for at = 2, tried and #tried or 0 do
      local score = template * SPAN + tried[at]
      left = left - redis.call("ZCOUNT", RETURNED, score, score)
    end
    if left > 0 then
      return true
    end
    template = nextIn(leftIn, closed, template + 1)
  end
  return false
end

local function countSolved(template)
  local count = field("s" .. template, 0) + 1
  setField("s" .. template, count)
  if template + count * TEMPLATE_COUNT >= TOTAL then
    exclude(leftIn, template)
  end
end
