--[[
Sets of templates, and the numbers kept of each. A part of the script that begins with decide.lua, which says its KEYS, ARGV, what it
returns and why it is atomic.

Stored, a set is a bit a template: template 8n + m is bit m of byte n, and bytes that are missing are 0. The hunt's sets are
unpacked once a batch, into words of 32 bits: whether a player may have anything, and what comes first of it, is then a few
operations on whole words, however many templates there are.
]]
local WORDS = math.ceil(TEMPLATE_COUNT / 32)
local FORMAT = "<" .. string.rep("I4", WORDS)

local function wordsOf(bytes)
  return { struct.unpack(FORMAT, bytes .. string.rep("\0", 4 * WORDS - #bytes)) }
end

local NONE = wordsOf("")
local returnedIn, neverIn, leftIn = wordsOf(meta[11] or ""), wordsOf(meta[12] or ""), wordsOf(meta[13] or "")
local unserved = wordsOf(meta[14] or "")
-- What is known of the fields of TEMPLATES, and which of them have changed.
local fields, changedFields = {}, {}

local function has(set, template)
  return bit.band(set[math.floor(template / 32) + 1], bit.lshift(1, template % 32)) ~= 0
end

local function include(set, template)
  local word = math.floor(template / 32) + 1
  set[word] = bit.bor(set[word], bit.lshift(1, template % 32))
  set.isChanged = true
end

local function exclude(set, template)
  local word = math.floor(template / 32) + 1
  set[word] = bit.band(set[word], bit.bnot(bit.lshift(1, template % 32)))
  set.isChanged = true
end

-- The first template from `from` on that is in `set` and not in `without`, or nil.
local function nextIn(set, without, from)
  local word = math.floor(from / 32) + 1
  if word > WORDS then
    return nil
  end
  local bits = bit.band(set[word], bit.bnot(without[word]), bit.lshift(-1, from % 32))
  while bits == 0 do
    word = word + 1
    if word > WORDS then
      return nil
    end
    bits = bit.band(set[word], bit.bnot(without[word]))
  end
  local _, exponent = math.frexp(math.abs(bit.band(bits, -bits)))
  return (word - 1) * 32 + exponent - 1
end

-- The templates that a player does not get any more.
local function closedOf(player)
  return player and player[CLOSED] ~= "" and wordsOf(player[CLOSED]) or NONE
end

-- Whether a stored set has the template.
local function isIn(bytes, template)
  local byte = string.byte(bytes, math.floor(template / 8) + 1)
  return byte ~= nil and bit.band(byte, bit.lshift(1, template % 8)) ~= 0
end

-- A stored set with the template.
local function with(bytes, template)
  local at = math.floor(template / 8) + 1
  bytes = bytes .. string.rep("\0", at - #bytes)
  local byte = bit.bor(string.byte(bytes, at), bit.lshift(1, template % 8))
  return string.sub(bytes, 1, at - 1) .. string.char(byte) .. string.sub(bytes, at + 1)
end

local function field(name, default)
  if fields[name] == nil then
    fields[name] = tonumber(redis.call("HGET", TEMPLATES, name) or default)
  end
  return fields[name]
end

local function setField(name, value)
  fields[name], changedFields[name] = value, true
end
