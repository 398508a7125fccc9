-- Appends events to their streams and publishes them to whoever follows, leaving out those whose key was appended before.
-- Atomic so that an event and the mark that it was appended can only exist together (a retry then never doubles or loses it), and
-- so that followers hear the events of a topic in the order of its stream, each with the id of the one before it.
--
-- KEYS  the generation, then for n events: n stream keys (each is the events' channel as well), then n mark keys
-- ARGV  run id of the server, an id for a new generation, events kept a stream, lifetime of a mark in ms, lifetime of an idle
--       stream in ms, then for each event: at, type, data
-- Returns the number of events that were appended
local run, fresh, keeps, mark_ms, idle_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local count = (#KEYS - 1) / 2
local appended = 0

-- Data that another run of the server wrote may be older than what was acknowledged: what is appended now is another history.
local known = redis.call("HMGET", KEYS[1], "run", "generation")
local generation = known[2]
if known[1] ~= run then
  generation = fresh
  redis.call("HSET", KEYS[1], "run", run, "generation", generation)
end
-- It outlives every stream, or what is left of them would look like another history.
redis.call("PEXPIRE", KEYS[1], idle_ms)

-- The id of each stream's last entry.
local last = {}
local function before(stream)
  if not last[stream] then
    local newest = redis.call("XREVRANGE", stream, "+", "-", "COUNT", 1)[1]
    last[stream] = newest and newest[1] or "0-0"
  end
  return last[stream]
end

for i = 1, count do
  local stream = KEYS[1 + i]
  if redis.call("SET", KEYS[1 + count + i], "1", "PX", mark_ms, "NX") then
    local at, event_type, data = ARGV[3 * i + 3], ARGV[3 * i + 4], ARGV[3 * i + 5]
    local previous = before(stream)
    local id = redis.call("XADD", stream, "MAXLEN", "~", keeps, "*", "g", generation, "at", at, "type", event_type, "data", data)
    redis.call("PEXPIRE", stream, idle_ms)
    redis.call("PUBLISH", stream, table.concat({ generation, previous, id, at, cjson.encode(event_type), data }, "\n"))
    last[stream] = id
    appended = appended + 1
  end
end
return appended
