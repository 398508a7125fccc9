-- Lists a room, unless its id is taken or another open room has its key.
-- Atomic so that of two processes that create the same room, however late one of them is, exactly one has it.
--
-- KEYS  the hash of all listings; for a keyed room also the set of the open rooms with its key
-- ARGV  room id, listing (JSON), 1 when the room is open, else 0
-- Returns the id of the room that stands in its way, or an empty string when the room is listed now
local listings, open_rooms, id = KEYS[1], KEYS[2], ARGV[1]
if redis.call("HEXISTS", listings, id) == 1 then
  return id
end
if open_rooms and ARGV[3] == "1" then
  for _, other in ipairs(redis.call("SMEMBERS", open_rooms)) do
    if redis.call("HEXISTS", listings, other) == 1 then
      return other
    end
    redis.call("SREM", open_rooms, other)
  end
  redis.call("SADD", open_rooms, id)
end
redis.call("HSET", listings, id, ARGV[2])
return ""
