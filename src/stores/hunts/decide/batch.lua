--[[
Decides the requests, and writes down what they have changed of the hunt. The last part of the script that begins with decide.lua, which
says its KEYS, ARGV, what it returns and why it is atomic.
]]
local answers = {}
for index, request in ipairs(cjson.decode(ARGV[10])) do
  answers[index] = decide[request[1]](unpack(request, 2))
end
for name in pairs(changedFields) do
  redis.call("HSET", TEMPLATES, name, fields[name])
  made[TEMPLATES] = true
end
for key in pairs(made) do
  redis.call("PEXPIREAT", key, meta[9])
end
if version ~= loadedVersion then
  redis.call("HSET", META, "issued", issued, "fresh", fresh, "solved", solved, "solveSeq", solveSeq, "waitSeq", waitSeq, "version", version)
end
for name, set in pairs({ returnedIn = returnedIn, neverIn = neverIn, leftIn = leftIn, unserved = unserved }) do
  if set.isChanged then
    redis.call("HSET", META, name, struct.pack(FORMAT, unpack(set)))
  end
end
return cjson.encode({ epoch, answers })
