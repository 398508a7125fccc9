-- Tells a reader what became of the feed while it was away: which incarnation it is, and which of its positions still exist.
-- A feed whose incarnation differs was wiped in between; then a position that exists was reached after the wipe.
-- Atomic so that all readers agree on one incarnation after a wipe.
--
-- KEYS  the incarnation, then the streams
-- ARGV  an id for a new incarnation, then the position in each stream
-- Returns {incarnation, then for each stream 1 when the entry at the position exists, else 0}
redis.call("SET", KEYS[1], ARGV[1], "NX")
local result = { redis.call("GET", KEYS[1]) }
for i = 2, #KEYS do
  result[i] = #redis.call("XRANGE", KEYS[i], ARGV[i], ARGV[i])
end
return result
