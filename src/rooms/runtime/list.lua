-- Writes the listing of a room that its process has. A room that runs is listed whatever its key: the rule is for new ones.
-- Atomic so that a room is among the open ones of its key exactly while its listing says so.
--
-- KEYS  the hash of all listings; for a keyed room also the set of the open rooms with its key
-- ARGV  room id, listing (JSON), 1 when the room is open, else 0
-- Returns nothing of use
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
if KEYS[2] then
  redis.call(ARGV[3] == "1" and "SADD" or "SREM", KEYS[2], ARGV[1])
end
return 1
