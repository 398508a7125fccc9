--[[
Stages a chunk of a load.

KEYS  1 ticket  2 staged players  3 staged returned  4 staged templates  5 staged expiry
      6 and 7 (nobody waits after a load)  8 staged scores
ARGV  1 run id of the Redis server that the caller talks to  2 token of this load
      3 milliseconds after which a load that does nothing is forgotten
      4 JSON: players, each {id, name, total, reachedSeq, open row or false, last closed row or false, instances solved,
        bytes of the templates closed, bytes of those known, tried}; tried is a list of {template, wrong answers, lost instance, …}
      5 JSON: returned instances, each {template, instance, generation of its next holder}
      6 JSON: fields of templates, each {name, value}
Returns 1, or 0 when another load has overtaken this one, or what it staged is lost.

Atomic because a chunk must not mix with those of the load that overtakes it.
]]
local TICKET, PLAYERS, RETURNED, TEMPLATES, EXPIRY, _, _, SCORES = unpack(KEYS)
local RUN, TOKEN, TTL = ARGV[1], ARGV[2], ARGV[3]

local ticket = redis.call("HMGET", TICKET, "run", "token")
if ticket[1] ~= RUN or ticket[2] ~= TOKEN then
  return 0
end
for _, player in ipairs(cjson.decode(ARGV[4])) do
  local id, name, total, reachedSeq, open, last, solves, closed, known, tries = unpack(player)
  local tried = {}
  for _, try in ipairs(tries) do
    tried[try[1]] = { unpack(try, 2) }
  end
  local sets = { string.char(unpack(closed)), string.char(unpack(known)) }
  redis.call("HSET", PLAYERS, id, cmsgpack.pack({ name, total, open, last, solves, sets[1], sets[2], #tries > 0 and tried }))
  if open then
    redis.call("ZADD", EXPIRY, open[4], id)
  end
  if total > 0 then
    redis.call("ZADD", SCORES, total * 2 ^ 24 + (2 ^ 24 - 1 - reachedSeq), id)
  end
end
for _, entry in ipairs(cjson.decode(ARGV[5])) do
  redis.call("ZADD", RETURNED, entry[1] * 2 ^ 24 + entry[2], entry[2] .. ":" .. entry[3])
end
for _, field in ipairs(cjson.decode(ARGV[6])) do
  redis.call("HSET", TEMPLATES, field[1], field[2])
end
for _, key in ipairs(KEYS) do
  redis.call("PEXPIRE", key, TTL)
end
return 1
