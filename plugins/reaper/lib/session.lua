-- What every action shares: one at a time, a window, a report, a job, and an end at which nothing is left behind.
local files = require("files")
local job = require("job")
local progress_window = require("progress_window")
local project_facts = require("project")
local report = require("report")
local run = require("run")
local settings = require("settings")
local wav = require("wav")

local session = {}
session.__index = session

local CANCEL_S = 15 -- that the bridge is given to cancel
local LOOK_S = 0.1 -- between looks into the mailbox

-- Raised where an action is when what it works on is gone.
session.CLOSED = setmetatable({}, { __tostring = function() return "the project was closed" end })
session.GONE = setmetatable({}, { __tostring = function() return "the item was deleted" end })

local function box(text, title)
  reaper.MB(text, title, 0)
end

-- Starts an action. title: its name; body(session): does it.
function session.start(title, body)
  local busy = run.busy_with()
  if busy then
    box(("«%s» is still running. Wait until it has finished, or run «FoleySpace: Cancel»."):format(busy), title)
    return
  end
  local self = setmetatable({ title = title, report = report.new(title), made = {} }, session)
  self.project = reaper.EnumProjects(-1)
  run.start(title, function(task)
    self.task = task
    self.breathe = self:_watching(task.breathe)
    self.rest = self:_watching(task.rest)
    self.window = progress_window.new(title, task.cancel)
    task.on_tick = function() self.window:tick() end
    task.on_end = function() self:_close() end
    task.on_stop = function()
      wav.abandon()
      if self.job then self.job:cancel() end
      self:_close()
    end
    job.sweep()
    body(self)
  end, function(fault)
    if fault == session.CLOSED then return box("The project was closed meanwhile; nothing was changed.", title) end
    fault = tostring(fault)
    reaper.ShowConsoleMsg(("%s stopped by a fault of its own:\n%s\n\n"):format(title, fault))
    box("It stopped by a fault of its own; nothing was changed by halves. The console says where.\n\n"
      .. (fault:match("^[^\n]*") or ""), title)
  end)
end

-- Returns a function that rests, and raises CLOSED if the project is closed then, or GONE if an item or take is.
function session:_watching(rest, item, take)
  return function()
    if not rest() then return end
    if not project_facts.is_open(self.project) then error(session.CLOSED, 0) end
    if item and not (reaper.ValidatePtr2(self.project, item, "MediaItem*")
      and reaper.ValidatePtr2(self.project, take, "MediaItem_Take*")) then error(session.GONE, 0) end
  end
end

-- Calls work(breathe) on an item. Returns what it returns, or nil if the item is or was deleted meanwhile.
function session:with_item(item, work)
  if not reaper.ValidatePtr2(self.project, item, "MediaItem*") then return nil end
  local take = reaper.GetActiveTake(item)
  local ok, result = pcall(work, take and self:_watching(self.task.breathe, item, take) or self.breathe)
  if ok then return result end
  if result ~= session.GONE then error(result, 0) end
  return nil
end

-- Removes what the action has made and not used.
function session:_close()
  if self.window then self.window:close() end
  if self.job then
    self.job:remove()
    self.job = nil
  end
  for _, path in ipairs(self.made) do os.remove(path) end
  self.made = {}
end

-- Says one sentence in a window.
function session:say(sentence)
  box(sentence, self.title)
end

-- Returns the settings of the project, or nil if they do not go together, which the user is then told.
function session:settings()
  local values = settings.load(self.project)
  local conflict = settings.conflict(values)
  if conflict then
    self:say(conflict .. "\n\nRun «FoleySpace: Settings».")
    return nil
  end
  return values
end

-- Makes the folder of a job. Returns whether; if not, the user is told.
function session:open_job()
  local why
  self.job, why = job.new()
  if not self.job then self:say(why) end
  return self.job ~= nil
end

local function told(progress)
  if not progress then return "Starting", nil end
  local text = progress.message or progress.stage or ""
  if (progress.items or 0) > 1 and (progress.item or 0) > 0 then
    text = ("Item %d of %d: %s"):format(progress.item, progress.items, text)
  end
  return text, progress.fraction
end

-- Sends the request and waits for the response. Returns it, or nil and a sentence, or nil if it was cancelled.
function session:answer(request)
  local ok, why = self.job:start(request, self.breathe)
  if not ok then return nil, why end
  local looked_at, cancelled_at = -math.huge, nil
  while true do
    local now = reaper.time_precise()
    if now - looked_at >= LOOK_S then
      looked_at = now
      if not project_facts.is_open(self.project) then self.task.cancel() end -- nobody is left to want it
      local state, what, odd = self.job:poll(self.task.rest)
      if state == "done" then
        self:_keep(what)
        if type(what.error) == "table" and what.error.code == "cancelled" then return nil, self:_why_cancelled() end
        return what
      end
      if state == "lost" then
        self:_keep(odd or {})
        return nil, cancelled_at and self:_why_cancelled() or not cancelled_at and what or nil
      end
      if not cancelled_at then self.window:tell(told(what)) end
    end
    if self.task.is_cancelled() and not cancelled_at then
      cancelled_at = now
      self.job:cancel()
      self.window:tell("Cancelling", nil)
    end
    if cancelled_at and now - cancelled_at > CANCEL_S then return nil, self:_why_cancelled() end
    self.task.wait()
  end
end

-- Returns why it was cancelled, if it was not the user who did it.
function session:_why_cancelled()
  if not project_facts.is_open(self.project) then return "The project was closed meanwhile; nothing was placed." end
end

-- Remembers the files of a response until they are used.
function session:_keep(response)
  for _, item in ipairs(response.items or {}) do
    for _, output in ipairs(item.outputs or {}) do self.made[#self.made + 1] = output.path end
  end
end

-- Says that a file is used: it stays.
function session:used(path)
  for index = #self.made, 1, -1 do
    if self.made[index] == path then table.remove(self.made, index) end
  end
end

-- Takes what a response says besides its results into the report. Returns its items by their id.
function session:read(response, names)
  for _, warning in ipairs(response.warnings or {}) do self.report:note(nil, warning) end
  local whole = type(response.error) == "table" and report.of_error(response.error) or nil
  if whole then self.report:problem(nil, whole) end
  local items = {}
  for _, item in ipairs(response.items or {}) do
    items[item.id] = item
    for _, warning in ipairs(item.warnings or {}) do self.report:note(names[item.id], warning) end
    if not item.ok then
      local why = report.of_error(item.error)
      if why ~= whole then self.report:problem(names[item.id], why) end
    end
  end
  return items
end

-- Returns a temporary file's path in the job's folder.
function session:job_file(name)
  return files.join(self.job.folder, name)
end

return session
