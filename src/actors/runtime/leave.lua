--[[
Takes nodes off the list.

KEYS as in beat.lua
ARGV  node ids
Returns nothing.

Atomic because the others must hear of it as a change.
]]
local NODES, BEATS, CHANGES, LIST = unpack(KEYS)
for _, id in ipairs(ARGV) do
  redis.call("ZREM", BEATS, id)
  if redis.call("HDEL", NODES, id) == 1 then
    redis.call("ZADD", CHANGES, redis.call("HINCRBY", LIST, "revision", 1), id)
  end
end
