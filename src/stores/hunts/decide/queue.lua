--[[
Who waits, and who of them is served. A part of the script that begins with decide.lua, which says its KEYS, ARGV, what it returns and
why it is atomic.

Who waits may have nothing that is free, so what becomes free is offered to the queue, once: what a player may have does not
change while they wait, so nobody at or before a template's place "c" need be looked at again for it; but for a player who may
have the template, and has lost all that was free of it, or is on no node: the first such place is "h".
]]
local function leaveQueue(id)
  if waiting > 0 and redis.call("ZREM", WAITING, id) == 1 then
    redis.call("HDEL", WAITERS, id)
    waiting, version = waiting - 1, version + 1
  end
end

-- {name, id of a node that they are on, …}, or nil.
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

-- Calls `each` with each template of which something free is not offered to all who wait yet.
local function eachUnserved(each)
  local template = nextIn(unserved, NONE, 0)
  while template do
    each(template)
    template = nextIn(unserved, NONE, template + 1)
  end
end

local function offeredToAll()
  for word = 1, WORDS do
    if unserved[word] ~= 0 then
      unserved[word], unserved.isChanged = 0, true
    end
  end
end

-- A waiting player is offered what has become free; returns the served claim, as it is answered, and its template. Nil when in vain.
local function offer(id, player, closed, now)
  local waiter = waiterOf(id)
  local found = #waiter > 1 and search(player, closed)
  if found then
    leaveQueue(id)
    player = assign(id, player, waiter[1], now, found)
    return { { id, waiter[1], player[OPEN] }, player[LAST] }, found[1]
  end
end

-- Gives what has become free to who waits and may have it, in the order of the queue. Returns the served claims, or false.
local function serve(now)
  if waiting == 0 then
    offeredToAll()
    return false
  end
  -- Template -> the first place at which it was offered in vain to somebody who may have it; `unheld` are those without.
  local served, inVain, place, held, unheld = {}, 0, math.huge, {}, { unpack(unserved) }
  local function offeredSoFar(template)
    offered(template, place, held[template])
  end
  eachUnserved(function(template)
    place = math.min(place, field("c" .. template, 0))
  end)
  while inVain < STEP and nextIn(unserved, NONE, 0) do
    local page = redis.call("ZRANGEBYSCORE", WAITING, "(" .. place, "+inf", "WITHSCORES", "LIMIT", 0, 64)
    if #page == 0 then
      place = waitSeq
      eachUnserved(offeredSoFar)
      offeredToAll()
    end
    for at = 1, #page, 2 do
      local player = find(page[at])
      local closed = closedOf(player)
      place = tonumber(page[at + 1])
      local claim, template = offer(page[at], player, closed, now)
      if claim then
        served[#served + 1] = claim
        if not has(unserved, template) then
          offeredSoFar(template)
        end
      else
        inVain = inVain + 1
        template = nextIn(unheld, closed, 0)
        while template do
          held[template] = place
          exclude(unheld, template)
          template = nextIn(unheld, closed, template + 1)
        end
      end
      if inVain == STEP or not nextIn(unserved, NONE, 0) then
        break
      end
    end
  end
  eachUnserved(offeredSoFar)
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

-- The place in the queue, which a player who does not wait enters at its end.
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
