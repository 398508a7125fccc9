-- Reads what came after a cursor, or the newest events when there is no cursor, it is gone, or too much came after it.
-- Atomic so that nothing is trimmed between the look at the cursor and the look at what follows it.
--
-- KEYS  the stream
-- ARGV  the cursor or an empty string, the most events wanted
-- Returns {1 when something that the cursor's holder missed is left out, else 0, entries oldest first}
local since, limit = ARGV[1], tonumber(ARGV[2])
local reset = 0
if since ~= "" then
  if #redis.call("XRANGE", KEYS[1], since, since) == 1 then
    local missed = redis.call("XRANGE", KEYS[1], "(" .. since, "+", "COUNT", limit + 1)
    if #missed <= limit then
      return { 0, missed }
    end
  end
  reset = 1
end
local newest = redis.call("XREVRANGE", KEYS[1], "+", "-", "COUNT", limit)
local entries = {}
for i = #newest, 1, -1 do
  entries[#entries + 1] = newest[i]
end
return { reset, entries }
