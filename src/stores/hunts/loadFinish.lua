--[[
Puts a load that is staged to the end in the place of the hunt's hot state.

KEYS  1 meta  2 players  3 returned  4 expiry  5 waiting  6 waiters  7 scores (as in decide.lua)
      8 ticket  9 staged players  10 staged returned  11 staged expiry  12 staged scores
ARGV  1 run id of the Redis server that the caller talks to  2 token of this load  3 epoch  4 issued  5 fresh  6 solved
      7 solveSeq  8 how many players were staged  9 how many returned instances
Returns 1, or 0 when another load has overtaken this one, or some of what it staged is lost.

Atomic because no request may be decided between the old state and the new one.
]]
local META, TICKET = KEYS[1], KEYS[8]
local RUN, TOKEN, EPOCH = ARGV[1], ARGV[2], tonumber(ARGV[3])

local ticket = redis.call("HMGET", TICKET, "run", "token")
local known = redis.call("HMGET", META, "run", "epoch")
local isOvertaken = ticket[1] ~= RUN or ticket[2] ~= TOKEN or (known[1] == RUN and tonumber(known[2]) >= EPOCH)
local isWhole = redis.call("HLEN", KEYS[9]) == tonumber(ARGV[8]) and redis.call("ZCARD", KEYS[10]) == tonumber(ARGV[9])
if isOvertaken or not isWhole then
  return 0
end
redis.call("UNLINK", unpack(KEYS, 1, 8))
for index, live in pairs({ [9] = 2, [10] = 3, [11] = 4, [12] = 7 }) do
  -- An empty collection has no key.
  if redis.call("EXISTS", KEYS[index]) == 1 then
    redis.call("PERSIST", KEYS[index])
    redis.call("RENAME", KEYS[index], KEYS[live])
  end
end
redis.call(
  "HSET", META, "run", RUN, "epoch", EPOCH, "issued", ARGV[4], "fresh", ARGV[5], "solved", ARGV[6],
  "solveSeq", ARGV[7], "waitSeq", 0, "version", 1
)
return 1
