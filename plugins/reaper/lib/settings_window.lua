-- "Settings": a window with a line for each setting, and what this host cannot do.
local choosing = require("choosing")
local drawing = require("drawing")
local job = require("job")
local json = require("json")
local project_facts = require("project")
local run = require("run")
local settings = require("settings")
local settings_dialog = require("settings_dialog")

local settings_window = {}

local TITLE = "FoleySpace: Settings"
local WIDTH, LINE, TOP, NOTES = 600, 28, 48, 132
local ESCAPE = 27
local ink = drawing.ink

-- Asks the host what it can do, while the window is open. Sets state.capabilities, or state.fault.
local function ask_host(state, task)
  local known = json.decode(reaper.GetExtState("FoleySpace", "capabilities"))
  state.capabilities = type(known) == "table" and known or nil
  local one, why = job.new()
  if not one then
    state.fault = why
    return
  end
  state.job = one
  local ok
  ok, why = one:start({ kind = "check", project_rate_hz = project_facts.rate_hz(state.project),
    profile = state.values.profile, items = json.EMPTY_LIST })
  state.fault = not ok and why or nil
  while ok do
    local looked, what = one:poll()
    if looked == "done" then
      if type(what.error) == "table" then state.fault = what.error.message end
      state.capabilities = what.capabilities or state.capabilities
      if what.capabilities then
        reaper.SetExtState("FoleySpace", "capabilities", json.encode(what.capabilities), false)
      end
      break
    elseif looked == "lost" then
      state.fault = what
      break
    end
    for _ = 1, 3 do task.wait() end
  end
  one:remove()
  state.job = nil
  state.is_asked = true
end

-- Changes one setting as the user wants.
function settings_window.change(state, field, show_menu)
  local value = choosing.change(field, state.values[field.key], state.capabilities, show_menu)
  if value == state.values[field.key] or not project_facts.is_open(state.project) then return end
  state.values[field.key] = value
  settings.save(state.project, state.values)
end

-- Returns the sentences below the settings, each with whether it is a warning.
function settings_window.notes(state)
  local notes = {}
  local conflict = settings.conflict(state.values)
  if conflict then notes[1] = { conflict, true } end
  if state.fault then
    notes[#notes + 1] = { "The host could not be asked what it can do: " .. state.fault, true }
  elseif not state.is_asked then
    notes[#notes + 1] = { "Asking the host what it can do ...", false }
  end
  for _, sentence in ipairs(choosing.lacks(state.capabilities)) do
    notes[#notes + 1] = { "Not available here: " .. sentence, false }
  end
  if #notes == 0 then notes[1] = { "All of it is available here.", false } end
  return notes
end

local function draw_field(state, index, field, is_over)
  local y = TOP + (index - 1) * LINE
  ink(1, 1, 1, is_over and 0.12 or (index % 2 == 0 and 0.03 or 0))
  gfx.rect(8, y, WIDTH - 16, LINE, 1)
  gfx.setfont(1, "Arial", 15)
  ink(0.72, 0.74, 0.78)
  gfx.x, gfx.y = 20, y + 6
  gfx.drawstr(field.label)
  ink(0.95, 0.95, 0.97)
  for _, option in ipairs(field.choice or {}) do
    if option[1] == state.values[field.key] and choosing.lack(option, state.capabilities) then ink(0.95, 0.45, 0.4) end
  end
  gfx.x, gfx.y = 236, y + 6
  gfx.drawstr(drawing.fitting(choosing.shown(field, state.values[field.key]), WIDTH - 256))
end

local function draw(state, over)
  ink(0.13, 0.14, 0.16)
  gfx.rect(0, 0, gfx.w, gfx.h, 1)
  gfx.setfont(1, "Arial", 18)
  ink(0.98, 0.68, 0.26)
  gfx.x, gfx.y = 20, 14
  gfx.drawstr("FoleySpace")
  gfx.setfont(1, "Arial", 13)
  ink(0.65, 0.67, 0.71)
  gfx.x, gfx.y = 236, 18
  gfx.drawstr("for this project, and the next ones you begin")
  for index, field in ipairs(settings.FIELDS) do draw_field(state, index, field, index == over) end
  local y = TOP + #settings.FIELDS * LINE + 12
  gfx.setfont(1, "Arial", 13)
  for _, note in ipairs(settings_window.notes(state)) do
    if note[2] then ink(0.95, 0.45, 0.4) else ink(0.65, 0.67, 0.71) end
    for _, line in ipairs(drawing.wrapped(note[1], WIDTH - 40)) do
      gfx.x, gfx.y = 20, y
      gfx.drawstr(line)
      y = y + 17
    end
  end
end

local function tick(state)
  local key = gfx.getchar()
  if key < 0 or key == ESCAPE then
    state.is_closed = true
    return
  end
  local over = (gfx.mouse_y - TOP) // LINE + 1
  over = gfx.mouse_x >= 8 and gfx.mouse_x < WIDTH - 8 and settings.FIELDS[over] and over or nil
  local down = gfx.mouse_cap & 1 == 1
  local clicked = over and state.was_down == over and not down
  state.was_down = down and (state.was_down or over or 0) or nil
  draw(state, over)
  gfx.update()
  if clicked then
    settings_window.change(state, settings.FIELDS[over], function(entries)
      gfx.x, gfx.y = 236, TOP + over * LINE
      return gfx.showmenu(entries)
    end)
  end
end

local function open_window()
  if not gfx or not gfx.init then return false end
  return gfx.init(TITLE, WIDTH, TOP + #settings.FIELDS * LINE + NOTES, 0) ~= 0
end

-- Opens the settings of the project in front.
function settings_window.open()
  local project = reaper.EnumProjects(-1)
  local state = { project = project, values = settings.load(project) }
  local has_window = open_window()
  run.start(TITLE, function(task)
    if has_window then task.on_tick = function() if not state.is_closed then tick(state) end end end
    task.on_window_fault = function(fault)
      reaper.ShowConsoleMsg(("%s: the window failed, here is a plain one:\n%s\n\n"):format(TITLE, fault))
      gfx.quit()
      has_window = false
    end
    task.on_stop = function() if state.job then state.job:remove() end end
    task.on_end = task.on_stop
    local asking = coroutine.wrap(function() ask_host(state, { wait = coroutine.yield }) return "asked" end)
    local asked
    while not (asked and not has_window) and not state.is_closed do
      asked = asked or asking()
      task.wait()
    end
    if has_window then
      gfx.quit()
      return
    end
    local values = settings_dialog.ask(state.values, state.capabilities)
    if values and project_facts.is_open(project) then settings.save(project, values) end
  end, function(fault)
    reaper.ShowConsoleMsg(("%s stopped by a fault of its own:\n%s\n\n"):format(TITLE, fault))
    reaper.MB("The settings stopped by a fault of their own; the console says where.", TITLE, 0)
  end, true)
end

return settings_window
