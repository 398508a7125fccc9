-- Adds to a number in a hash, and has it count as 0 a while after it was last added to. Atomic so that a number is never left
-- without its end: a process that is killed in between must not be waited for.
--
-- KEYS  the hash, the mark that says that the field's number still counts (a field has no end of life before Redis 7.4)
-- ARGV  the field, what to add, the milliseconds after which the number is forgotten
-- Returns the number, never below 0
local before = 0
if redis.call("EXISTS", KEYS[2]) == 1 then
  before = tonumber(redis.call("HGET", KEYS[1], ARGV[1]) or "0")
end
local number = before + tonumber(ARGV[2])
if number <= 0 then
  redis.call("HDEL", KEYS[1], ARGV[1])
  redis.call("DEL", KEYS[2])
  return 0
end
redis.call("HSET", KEYS[1], ARGV[1], number)
if tonumber(ARGV[2]) > 0 then
  redis.call("SET", KEYS[2], 1, "PX", ARGV[3])
  if redis.call("PTTL", KEYS[1]) < tonumber(ARGV[3]) then
    redis.call("PEXPIRE", KEYS[1], ARGV[3])
  end
end
return number
