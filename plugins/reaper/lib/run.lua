-- Runs an action piece by piece between REAPER's own work: a coroutine that is taken up at every tick.
local run = {}

local SLICE_S = 0.008 -- of work at a time
local SECTION = "FoleySpace" -- of REAPER's external state, through which scripts see each other
local ALIVE_S = 3 -- after which an action that gave no sign is taken for gone

-- Raised where an action is when the user cancels it.
run.CANCELLED = setmetatable({}, { __tostring = function() return "cancelled" end })

-- Returns what runs now, or nil.
function run.busy_with()
  local title = reaper.GetExtState(SECTION, "running")
  local alive_at = tonumber(reaper.GetExtState(SECTION, "alive_at"))
  if title == "" or not alive_at then return nil end
  local since = reaper.time_precise() - alive_at
  return since >= 0 and since < ALIVE_S and title or nil
end

-- Asks what runs to stop.
function run.ask_to_cancel()
  reaper.SetExtState(SECTION, "cancel", "1", false)
end

local function sign_of_life(title)
  reaper.SetExtState(SECTION, "running", title, false)
  reaper.SetExtState(SECTION, "alive_at", ("%.3f"):format(reaper.time_precise()):gsub(",", "."), false)
end

local function sign_off()
  for _, key in ipairs({ "running", "alive_at", "cancel" }) do reaper.DeleteExtState(SECTION, key, false) end
end

-- Starts an action.
--
-- main(task): does it. task.rest() lets REAPER work if the slice is used up, and returns whether it did;
-- task.breathe() is the same and raises CANCELLED when the user wants it; task.wait() rests in any case;
-- task.is_cancelled() tells; task.on_tick is called at every tick; task.on_end() when it has ended; task.on_stop()
-- when the script is ended from outside.
-- on_error(fault): tells the user. beside: whether it may run beside other actions, which then know nothing of it.
function run.start(title, main, on_error, beside)
  local task, deadline = {}, 0
  function task.is_cancelled() return not beside and reaper.GetExtState(SECTION, "cancel") ~= "" end
  function task.cancel() run.ask_to_cancel() end
  function task.wait() coroutine.yield() end
  function task.rest()
    if reaper.time_precise() < deadline then return false end
    coroutine.yield()
    return true
  end
  function task.breathe()
    local rested = task.rest()
    if rested and task.is_cancelled() then error(run.CANCELLED, 0) end
    return rested
  end

  if not beside then reaper.DeleteExtState(SECTION, "cancel", false) end
  local body = coroutine.create(function() return xpcall(main, debug.traceback, task) end)
  local ended = false

  local function finish(ok, why)
    ended = true
    if not beside then sign_off() end
    if task.on_end then task.on_end() end
    if not ok and why ~= run.CANCELLED then on_error(why) end
  end

  local function tick()
    if ended then return end
    if not beside then sign_of_life(title) end
    deadline = reaper.time_precise() + SLICE_S
    local resumed, ok, why = coroutine.resume(body)
    if coroutine.status(body) == "dead" then
      finish(resumed and ok, resumed and why or ok)
      return
    end
    if task.on_tick then
      local drawn, fault = pcall(task.on_tick)
      if not drawn then -- a window that fails must not take the work with it
        task.on_tick = nil
        if task.on_window_fault then task.on_window_fault(fault) end
      end
    end
    reaper.defer(tick)
  end

  reaper.atexit(function()
    if ended then return end
    ended = true
    if not beside then sign_off() end
    if task.on_stop then task.on_stop() end
  end)
  tick()
end

return run
