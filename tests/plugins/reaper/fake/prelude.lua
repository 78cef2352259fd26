-- Builds the `reaper` table of one script out of the one Python function that carries out calls.
-- A failed call must raise a Lua string with the caller's line, as REAPER's own functions do.
local call, names, defer, at_exit, context, clock_offset = ...
local error, select, type, tostring = error, select, type, tostring

local function answer(ok, ...)
  if ok then return ... end
  error((...), 2) -- wrappers end in a tail call: level 2 is the script
end

reaper = {}
for name in names() do
  reaper[name] = function(...) return answer(call(name, select("#", ...), ...)) end
end

-- extensions that may or may not be there: nil, as REAPER has it; any other unknown name is a slip
local extensions = { ImGui = true, JS = true, BR = true, CF = true, NF = true, SNM = true, ReaPack = true, FNG = true }
setmetatable(reaper, { __index = function(_, name)
  if extensions[tostring(name):match("^%a+")] then return nil end
  call("?" .. tostring(name), 0)
  error("attempt to call a nil value (field '" .. tostring(name) .. "')", 2)
end })

function reaper.defer(callback)
  if type(callback) ~= "function" then error("bad argument #1 to 'defer' (function expected)", 2) end
  defer(callback)
  return true
end
reaper.runloop = reaper.defer

function reaper.atexit(callback)
  if type(callback) ~= "function" then error("bad argument #1 to 'atexit' (function expected)", 2) end
  at_exit(callback)
  return true
end

function reaper.get_action_context() return context() end

-- arrays of samples: 1-based numbers, methods called with a dot
local array_limit = 4194303
local arrays = setmetatable({}, { __mode = "k" })

local function new_array(source, size)
  if type(source) == "number" then source, size = nil, source end
  if size == nil and source then size = #(arrays[source] or source) end
  if math.type(size) ~= "integer" or size < 1 or size > array_limit then
    error("bad argument #1 to 'new_array' (size 1 to " .. array_limit .. ")", 2)
  end
  local values = {}
  for i = 1, size do values[i] = source and (arrays[source] or source)[i] or 0.0 end
  local array = {}
  local methods = {}
  function methods.clear(value, offset, count)
    offset = offset or 1
    for i = offset, math.min(size, offset + (count or size) - 1) do values[i] = (value or 0) + 0.0 end
  end
  function methods.table(offset, count)
    offset = offset or 1
    local part = table.move(values, offset, math.min(size, offset + (count or size) - 1), 1, {})
    return part
  end
  function methods.get_alloc() return size end
  function methods.resize(count)
    if count > size then error("array cannot grow past its allocation", 2) end
  end
  arrays[array] = values
  return setmetatable(array, {
    __len = function() return size end,
    __index = function(_, key)
      if type(key) == "number" then
        if math.type(key) ~= "integer" or key < 1 or key > size then error("array index out of bounds", 2) end
        return values[key]
      end
      return methods[key] or error("reaper.array has no " .. tostring(key), 2)
    end,
    __newindex = function(_, key, value)
      if math.type(key) ~= "integer" or key < 1 or key > size then error("array index out of bounds", 2) end
      values[key] = value + 0.0
    end,
  })
end
reaper.new_array = new_array

-- the one call that fills an array: samples come as packed doubles
function reaper.GetAudioAccessorSamples(...)
  local count = select("#", ...)
  local array = select(6, ...)
  local values = arrays[array]
  if count ~= 6 or not values then error("bad argument #6 to 'GetAudioAccessorSamples' (reaper.array expected)", 2) end
  local got, packed = answer(call("GetAudioAccessorSamples", 6, (select(1, ...)), (select(2, ...)), (select(3, ...)),
    (select(4, ...)), (select(5, ...)), #array))
  if packed then
    local unpack, at, index, total = string.unpack, 1, 1, #packed // 8
    while index <= total do
      local n = math.min(64, total - index + 1)
      local block = { unpack("<" .. ("d"):rep(n), packed, at) }
      at = block[n + 1]
      table.move(block, 1, n, index, values)
      index = index + n
    end
  end
  return got
end

-- what REAPER's Lua has not, and what no script of ours may use
python = nil
local function forbidden(name)
  return function() call("!" .. name, 0) error(name .. " is not allowed", 2) end
end
os.execute, io.popen = forbidden("os.execute"), forbidden("io.popen")
local real_time = os.time
function os.time(...)
  if select("#", ...) > 0 then return real_time(...) end
  return real_time() + clock_offset()
end
function print() end
package.path, package.cpath = "", ""

-- the drawing window: variables live here, calls go to the fake
local paint = call
gfx = { r = 0, g = 0, b = 0, a = 1, x = 0, y = 0, w = 0, h = 0, mode = 0, dest = -1, clear = 0, texth = 16,
  mouse_x = 0, mouse_y = 0, mouse_cap = 0, mouse_wheel = 0, mouse_hwheel = 0, ext_retina = 0 }

local function send(name, ...) return answer(paint("gfx." .. name, select("#", ...), ...)) end
local function drawn(name, ...) send("draw", name, gfx.r, gfx.g, gfx.b, gfx.a, ...) end

function gfx.init(title, width, height)
  local opened = send("init", title or "", width or 0, height or 0)
  if opened then gfx.w, gfx.h = width, height end
  return opened and 1 or 0
end
function gfx.quit() send("quit") end
function gfx.getchar()
  local key
  key, gfx.mouse_x, gfx.mouse_y, gfx.mouse_cap = send("getchar")
  return key
end
function gfx.update() send("update", gfx.clear) end
function gfx.set(r, g, b, a, mode, dest)
  gfx.r, gfx.g, gfx.b, gfx.a = r, g or r, b or r, a or 1
  gfx.mode, gfx.dest = mode or gfx.mode, dest or gfx.dest
end
function gfx.setfont(index, name, size)
  if size then gfx.texth = size send("setfont", size) end
  return index
end
function gfx.measurestr(text) return send("measurestr", text) end
function gfx.measurechar(code) return send("measurestr", utf8.char(code)) end
function gfx.drawstr(text, flags, right, bottom)
  local w, h = send("measurestr", text)
  flags = flags or 0
  local x, y = gfx.x, gfx.y
  if right and flags & 1 ~= 0 then x = x + (right - x - w) / 2 end
  if right and flags & 2 ~= 0 then x = right - w end
  if bottom and flags & 4 ~= 0 then y = y + (bottom - y - h) / 2 end
  if bottom and flags & 8 ~= 0 then y = bottom - h end
  drawn("drawstr", x, y, w, h, text)
  gfx.x = gfx.x + w
end
function gfx.rect(x, y, w, h, filled) drawn("rect", x, y, w, h, filled == nil or (filled ~= 0 and filled ~= false)) end
function gfx.roundrect(x, y, w, h, radius, antialias) drawn("roundrect", x, y, w, h, radius or 0) end
function gfx.line(x, y, x2, y2, antialias) drawn("line", x, y, x2, y2) end
function gfx.circle(x, y, radius, filled) drawn("circle", x, y, radius, filled == true or (filled or 0) ~= 0) end
function gfx.showmenu(text) return send("showmenu", text) end
function gfx.dock() return 0 end
setmetatable(gfx, { __index = function(_, name) error("gfx." .. tostring(name) .. " is not modelled", 2) end })
