-- Adds to the number of joins that are about to create a room, and has the number forgotten a while after the last one began.
-- Atomic so that a number is never left without its end: a process that is killed in between must not be waited for.
--
-- KEYS  the number
-- ARGV  what to add (1 or -1), the milliseconds after which it is forgotten
-- Returns the number, never below 0
local number = redis.call("INCRBY", KEYS[1], ARGV[1])
if number <= 0 then
  redis.call("DEL", KEYS[1])
  return 0
end
if tonumber(ARGV[1]) > 0 then
  redis.call("PEXPIRE", KEYS[1], ARGV[2])
end
return number
