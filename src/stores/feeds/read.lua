-- Reads of each stream what came after a cursor, or its newest events when there is no cursor, it is of another history or gone, or
-- too much came after it.
-- Atomic so that nothing is trimmed between the look at the cursor and the look at what follows it, and so that all readers agree on
-- one generation.
--
-- KEYS  the generation, then the streams
-- ARGV  run id of the server, an id for a new generation, the most events wanted of a stream, how many in all after which to stop,
--       lifetime of the generation in ms, then for each stream the generation and the id of the cursor: two empty strings without
--       one, "0-0" where the stream was empty
-- Returns {the generation, how many of the streams were read, then for each of these that has something to tell
--   {its number, 1 when something that the cursor's holder missed is left out, else 0, entries oldest first}}
local run, fresh, limit, enough, idle_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]

-- Data that another run of the server wrote may be older than what was acknowledged: cursors into it are of another history.
local known = redis.call("HMGET", KEYS[1], "run", "generation")
local current = known[2]
if known[1] ~= run then
  current = fresh
  redis.call("HSET", KEYS[1], "run", run, "generation", current)
  redis.call("PEXPIRE", KEYS[1], idle_ms)
end

local function isThere(stream, id)
  return id == "0-0" or #redis.call("XRANGE", stream, id, id) == 1
end

-- Returns whether the reader must start over, and the entries for it.
local function read(stream, generation, id)
  if id ~= "" and generation == current and isThere(stream, id) then
    local missed = redis.call("XRANGE", stream, "(" .. id, "+", "COUNT", limit + 1)
    if #missed <= limit then
      return 0, missed
    end
  end
  local newest = redis.call("XREVRANGE", stream, "+", "-", "COUNT", limit)
  local entries = {}
  for i = #newest, 1, -1 do
    entries[#entries + 1] = newest[i]
  end
  return id == "" and 0 or 1, entries
end

local told, count, done = {}, 0, 0
while done < #KEYS - 1 and count < enough do
  done = done + 1
  local reset, entries = read(KEYS[1 + done], ARGV[4 + 2 * done], ARGV[5 + 2 * done])
  count = count + #entries
  if reset == 1 or #entries > 0 then
    told[#told + 1] = { done, reset, entries }
  end
end
return { current, done, unpack(told) }
