-- Takes the listing of a room away, and with it its key, if that room is on the process that it is thought to be on: an id is
-- handed to another process when the first one does not answer.
-- Atomic so that a key is never held by a room that is not listed, and no other process's room is taken for this one.
--
-- KEYS  the hash of all listings; for a keyed room also the set of the open rooms with its key
-- ARGV  room id, process id (an empty string: whichever)
-- Returns 1 when there was such a listing, else 0
local listing = redis.call("HGET", KEYS[1], ARGV[1])
if listing and ARGV[2] ~= "" and cjson.decode(listing).processId ~= ARGV[2] then
  return 0
end
if KEYS[2] then
  redis.call("SREM", KEYS[2], ARGV[1])
end
return redis.call("HDEL", KEYS[1], ARGV[1])
