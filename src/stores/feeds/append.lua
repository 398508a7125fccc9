-- Appends events to their streams and publishes them to whoever follows, leaving out those that were appended before: where their
-- sender counts them, at or before the last that it has appended, however long ago, and else by their key for a while.
-- Atomic so that an event and the mark that it was appended can only exist together (a retry then never doubles or loses it), and
-- so that followers hear the events of a topic in the order of its stream, each with the id of the one before it.
--
-- KEYS  the generation, then for n events: n stream keys (each is the events' channel as well), then n keys of their senders' last
--       positions (of their own marks where the sender does not count)
-- ARGV  run id of the server, an id for a new generation, events kept a stream, lifetime of a mark in ms, lifetime of an idle
--       stream and of a sender's position in ms, then for each event: at, type, data, its sender's version and the index in that (two
--       empty strings where the sender does not count)
-- Returns the number of events that were appended, or the error of the first that Redis refuses: what came before it is appended and noted
-- all the same, for nothing that a script has done is undone
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

-- Appends an event to its stream. Returns its id and that of the one before it, or an error.
local function add(stream, at, event_type, data)
  if not last[stream] then
    local newest = redis.pcall("XREVRANGE", stream, "+", "-", "COUNT", 1)
    if newest.err then return nil, newest end
    last[stream] = newest[1] and newest[1][1] or "0-0"
  end
  local id = redis.pcall("XADD", stream, "MAXLEN", "~", keeps, "*", "g", generation, "at", at, "type", event_type, "data", data)
  if type(id) == "table" then return nil, id end
  local previous = last[stream]
  last[stream] = id
  return id, previous
end

-- The last position of each sender.
local senders = {}
local function positionOf(sender)
  if not senders[sender] then
    local version, index = string.match(redis.call("GET", sender) or "-1 -1", "^(%S+) (%S+)")
    senders[sender] = { version = tonumber(version), index = tonumber(index) }
  end
  return senders[sender]
end

-- Whether the event comes after all that its sender has appended.
local function isAfter(position, version, index)
  return version > position.version or (version == position.version and index > position.index)
end

-- The error of an event that Redis refuses.
local refused

for i = 1, count do
  local stream, known_by = KEYS[1 + i], KEYS[1 + count + i]
  local at, event_type, data = ARGV[5 * i + 1], ARGV[5 * i + 2], ARGV[5 * i + 3]
  local version, index = tonumber(ARGV[5 * i + 4]), tonumber(ARGV[5 * i + 5])
  local position = version and positionOf(known_by)
  local is_new
  if position then
    is_new = isAfter(position, version, index)
  else
    is_new = redis.call("EXISTS", known_by) == 0
  end
  if is_new then
    local id, previous = add(stream, at, event_type, data)
    if not id then
      refused = previous
      break
    end
    if position then
      position.version, position.index, position.moved = version, index, true
    else
      redis.call("SET", known_by, "1", "PX", mark_ms)
    end
    redis.call("PEXPIRE", stream, idle_ms)
    redis.call("PUBLISH", stream, table.concat({ generation, previous, id, at, cjson.encode(event_type), data }, "\n"))
    appended = appended + 1
  end
end
for sender, position in pairs(senders) do
  if position.moved then
    -- A node of the version before reads a time and when the sender last counted anew: by these it never does.
    redis.call("SET", sender, string.format("%d %d 9007199254740991 -1", position.version, position.index), "PX", idle_ms)
  end
end
return refused or appended
