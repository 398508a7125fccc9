--[[
Puts a load that is staged to the end in the place of what is live.

KEYS  1 meta  2 ticket  then the live collections, then as many staged ones, the n-th to replace the n-th live one
ARGV  1 run id of the Redis server that the caller talks to  2 token of this load  3 epoch
      4 milliseconds after which what is live is forgotten
      5 of how many collections, from the first, the size follows  6… their sizes as staged
      then the fields of the new meta beside its run, its epoch and expiresAt: name, value, …
All that is live ends in the same millisecond, so that none of it can be found without the rest. An empty collection has no key:
whichever script makes one afterwards must have it end then as well, which is `expiresAt` of meta.
Returns 1, or 0 when another load has overtaken this one, or some of what it staged is lost.

Atomic because no request may be decided between the old state and the new one.
]]
local META, TICKET = KEYS[1], KEYS[2]
local RUN, TOKEN, EPOCH, LIFETIME, SIZES = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local collections = (#KEYS - 2) / 2

local function stagedKey(index)
  return KEYS[2 + collections + index]
end

local function sizeOf(key)
  local kind = redis.call("TYPE", key).ok
  return kind == "none" and 0 or redis.call(kind == "hash" and "HLEN" or "ZCARD", key)
end

local ticket = redis.call("HMGET", TICKET, "run", "token")
local known = redis.call("HMGET", META, "run", "epoch")
if ticket[1] ~= RUN or ticket[2] ~= TOKEN or (known[1] == RUN and tonumber(known[2]) >= EPOCH) then
  return 0
end
for index = 1, SIZES do
  if sizeOf(stagedKey(index)) ~= tonumber(ARGV[5 + index]) then
    return 0
  end
end
redis.call("UNLINK", unpack(KEYS, 1, 2 + collections))
local time = redis.call("TIME")
local expiresAt = time[1] * 1000 + math.floor(time[2] / 1000) + LIFETIME
for index = 1, collections do
  if redis.call("PEXPIREAT", stagedKey(index), expiresAt) == 1 then
    redis.call("RENAME", stagedKey(index), KEYS[2 + index])
  end
end
redis.call("HSET", META, "run", RUN, "epoch", EPOCH, "expiresAt", expiresAt, unpack(ARGV, 6 + SIZES))
redis.call("PEXPIREAT", META, expiresAt)
return 1
