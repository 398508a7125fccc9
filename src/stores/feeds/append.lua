-- Appends events to their streams, leaving out those whose key was appended before.
-- Atomic so that an event and the mark that it was appended can only exist together: a retry then never doubles or loses it.
--
-- KEYS  for n events: n stream keys, then n mark keys
-- ARGV  events kept a stream, lifetime of a mark in ms, lifetime of an idle stream in ms, then for each event: at, type, data
-- Returns the number of events that were appended
local keeps, mark_ms, idle_ms = ARGV[1], ARGV[2], ARGV[3]
local count = #KEYS / 2
local appended = 0
for i = 1, count do
  if redis.call("SET", KEYS[count + i], "1", "PX", mark_ms, "NX") then
    local at = 3 * i
    redis.call("XADD", KEYS[i], "MAXLEN", "~", keeps, "*", "at", ARGV[at + 1], "type", ARGV[at + 2], "data", ARGV[at + 3])
    redis.call("PEXPIRE", KEYS[i], idle_ms)
    appended = appended + 1
  end
end
return appended
