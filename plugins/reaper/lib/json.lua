-- JSON as the mailbox needs it: sorted keys (equal tables give equal text), 17 digits, no number that is not finite.
local json = {}

-- Lua has one empty table for two things; this one is written as [].
json.EMPTY_LIST = setmetatable({}, { __name = "empty list" })
-- Stands for null where a key shall be kept.
json.NULL = setmetatable({}, { __name = "null" })

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t" }
local UNESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function escape(character)
  return ESCAPES[character] or ("\\u%04x"):format(character:byte())
end

-- The bytes of a file name need not be UTF-8; what is not is replaced, so that the text always is.
local function as_utf8(text)
  if utf8.len(text) then return text end
  local parts, at = {}, 1
  while at <= #text do
    local _, bad = utf8.len(text, at)
    if not bad then
      parts[#parts + 1] = text:sub(at)
      break
    end
    parts[#parts + 1] = text:sub(at, bad - 1) .. "\u{FFFD}"
    at = bad + 1
  end
  return table.concat(parts)
end

local function nothing() end

local function number_text(value)
  if math.type(value) == "integer" then return ("%d"):format(value) end
  if value ~= value or value == math.huge or value == -math.huge then error("a number is not finite", 0) end
  return (("%.17g"):format(value):gsub(",", "."))
end

local write

local function write_table(value, out, breathe)
  breathe()
  if value == json.NULL then
    out[#out + 1] = "null"
    return
  end
  if value == json.EMPTY_LIST or #value > 0 then
    out[#out + 1] = "["
    for index = 1, #value do
      if index > 1 then out[#out + 1] = "," end
      write(value[index], out, breathe)
    end
    out[#out + 1] = "]"
    return
  end
  local keys = {}
  for key in pairs(value) do
    if type(key) ~= "string" then error("a key of an object must be text", 0) end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  out[#out + 1] = "{"
  for index, key in ipairs(keys) do
    if index > 1 then out[#out + 1] = "," end
    write(key, out, breathe)
    out[#out + 1] = ":"
    write(value[key], out, breathe)
  end
  out[#out + 1] = "}"
end

function write(value, out, breathe)
  local kind = type(value)
  if kind == "string" then
    out[#out + 1] = '"' .. as_utf8(value):gsub('[%c"\\\127]', escape) .. '"'
  elseif kind == "number" then
    out[#out + 1] = number_text(value)
  elseif kind == "boolean" then
    out[#out + 1] = tostring(value)
  elseif kind == "table" then
    write_table(value, out, breathe)
  else
    error("a " .. kind .. " cannot be written as JSON", 0)
  end
end

-- Returns the text of a value; raises an error for what JSON cannot hold. breathe: called now and then, or nil.
function json.encode(value, breathe)
  local out = {}
  write(value, out, breathe or nothing)
  return table.concat(out)
end

local read

local function fail(text, at, what)
  error(("character %d: %s"):format(math.min(at, #text + 1), what), 0)
end

local function skip(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

local function read_escape(text, at)
  local letter = text:sub(at, at)
  if letter ~= "u" then
    if not UNESCAPES[letter] then fail(text, at, "unknown escape") end
    return UNESCAPES[letter], at + 1
  end
  local code = tonumber(text:match("^%x%x%x%x", at + 1) or fail(text, at, "four digits are missing"), 16)
  at = at + 5
  if code >= 0xD800 and code < 0xDC00 then
    local low = text:match("^\\u(%x%x%x%x)", at)
    low = low and tonumber(low, 16)
    if low and low >= 0xDC00 and low < 0xE000 then
      return utf8.char(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), at + 6
    end
  end
  if code >= 0xD800 and code < 0xE000 then code = 0xFFFD end -- half of a pair
  return utf8.char(code), at
end

local function read_string(text, at)
  local parts = {}
  at = at + 1
  while true do
    local stop = text:find('["\\%c]', at)
    if not stop then fail(text, #text + 1, "a text has no end") end
    parts[#parts + 1] = text:sub(at, stop - 1)
    local character = text:sub(stop, stop)
    if character == '"' then return table.concat(parts), stop + 1 end
    if character == "\\" then
      parts[#parts + 1], at = read_escape(text, stop + 1)
    elseif character == "\127" then
      parts[#parts + 1], at = character, stop + 1
    else
      fail(text, stop, "a control character in a text")
    end
  end
end

local function read_list(text, at, depth, breathe)
  local list = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then return list, at + 1 end
  while true do
    local value
    value, at = read(text, at, depth, breathe)
    list[#list + 1] = value
    at = skip(text, at)
    local character = text:sub(at, at)
    if character == "]" then return list, at + 1 end
    if character ~= "," then fail(text, at, "expected , or ]") end
    at = at + 1
  end
end

local function read_object(text, at, depth, breathe)
  breathe()
  local object = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then return object, at + 1 end
  while true do
    at = skip(text, at)
    if text:sub(at, at) ~= '"' then fail(text, at, "expected a key") end
    local key, value
    key, at = read_string(text, at)
    at = skip(text, at)
    if text:sub(at, at) ~= ":" then fail(text, at, "expected :") end
    value, at = read(text, at + 1, depth, breathe)
    if value ~= json.NULL then object[key] = value end -- a key that is null is as good as none
    at = skip(text, at)
    local character = text:sub(at, at)
    if character == "}" then return object, at + 1 end
    if character ~= "," then fail(text, at, "expected , or }") end
    at = at + 1
  end
end

local WORDS = { { "true", true }, { "false", false }, { "null", json.NULL } }

function read(text, at, depth, breathe)
  if depth > 64 then fail(text, at, "nested too deeply") end
  at = skip(text, at)
  local character = text:sub(at, at)
  if character == "{" then return read_object(text, at, depth + 1, breathe) end
  if character == "[" then return read_list(text, at, depth + 1, breathe) end
  if character == '"' then return read_string(text, at) end
  for _, word in ipairs(WORDS) do
    if text:sub(at, at + #word[1] - 1) == word[1] then return word[2], at + #word[1] end
  end
  local number = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local value = number and tonumber(number)
  if not value then fail(text, at, "expected a value") end
  return value, at + #number
end

-- Returns the value of a text, or nil and what is wrong with it.
-- Keys that are null are left out; a null in a list is json.NULL. breathe: called now and then, or nil.
function json.decode(text, breathe)
  if type(text) ~= "string" then return nil, "no text" end
  local ok, value, at = pcall(read, text, 1, 0, breathe or nothing)
  if not ok then return nil, value end
  if skip(text, at) <= #text then return nil, ("character %d: more follows"):format(skip(text, at)) end
  return value
end

return json
