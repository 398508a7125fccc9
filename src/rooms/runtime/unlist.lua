-- Takes the listing of a room away, and with it its key.
-- Atomic so that a key is never held by a room that is not listed.
--
-- KEYS  the hash of all listings; for a keyed room also the set of the open rooms with its key
-- ARGV  room id
-- Returns 1 when there was such a listing, else 0
if KEYS[2] then
  redis.call("SREM", KEYS[2], ARGV[1])
end
return redis.call("HDEL", KEYS[1], ARGV[1])
