-- A job in the mailbox: a folder with a request, in which the bridge writes how it goes and what came of it.
local files = require("files")
local install = require("install")
local json = require("json")

local job = {}

local VERSION = 1
local START_S = 30 -- for the first sign of the bridge, which may have to be read from a slow disk
local SILENCE_S = 10 -- after which a bridge that wrote twice a second is taken for dead
local PAUSE_S = 3 -- between two looks, after which not the bridge but REAPER was away
local KEEP_S = 86400 -- folders that nobody removed

local Job = {}
Job.__index = Job

local function new_id()
  local digits = reaper.genGuid(""):gsub("%W", ""):lower():sub(1, 8)
  return os.date("!%Y%m%d-%H%M%S-") .. digits
end

-- Returns the folder of all jobs.
function job.folder()
  return files.join(install.data_folder(), "jobs")
end

-- Removes what earlier jobs have left: those that are answered, and those of another day.
function job.sweep()
  local oldest = os.date("!%Y%m%d-%H%M%S", os.time() - KEEP_S)
  for _, id in ipairs(files.folders(job.folder())) do
    local folder = files.join(job.folder(), id)
    local is_ours = id:find("^%d%d%d%d%d%d%d%d%-%d%d%d%d%d%d%-%x+$") ~= nil
    if is_ours and (id < oldest or reaper.file_exists(files.join(folder, "response.json"))) then
      files.remove_folder(folder)
    end
  end
end

-- Makes the folder of a new job. Returns the job, or nil and a sentence.
function job.new()
  local bridge, why = install.bridge()
  if not bridge then return nil, why end
  local self = setmetatable({ id = new_id(), bridge = bridge }, Job)
  self.folder = files.join(job.folder(), self.id)
  local ok
  ok, why = files.make_folder(self.folder)
  if not ok then return nil, ("Nothing can be written to %s: %s."):format(self.folder, why) end
  return self
end

-- Returns the path of a file in the job's folder.
function Job:path(name)
  return files.join(self.folder, name)
end

-- Writes the request and starts the bridge. Returns whether, or false and a sentence.
function Job:start(request, breathe)
  request.foleyspace_mailbox = VERSION
  local program, folder = install.quoted(self.bridge), install.quoted(self.folder)
  if not program or not folder then
    return false, "A folder's name holds three kinds of quotation marks, which REAPER cannot pass on: " .. self.folder
  end
  local ok, why = files.write_whole(self:path("request.json"), json.encode(request, breathe))
  if not ok then return false, ("The request could not be written: %s."):format(why) end
  self.no_answer = reaper.ExecProcess(program .. " " .. folder, -2) == nil
  self.started_at = reaper.time_precise()
  self.heard_at, self.looked_at, self.seq = self.started_at, self.started_at, nil
  return true
end

local function decoded(path, breathe)
  local text = files.read(path)
  return text and json.decode(text, breathe)
end

-- Returns why nothing is heard of the bridge.
function Job:_silence()
  if not reaper.file_exists(self:path("request.json")) then
    return "The folder of the job was deleted while it was worked on."
  end
  local log = (files.read(self:path("bridge.log")) or ""):match("([^\r\n]+)[\r\n]*$")
  local said = log and (" Its last words: " .. log) or ""
  if not self.seq then
    local failed = self.no_answer and "REAPER could not start" or "Nothing was heard of"
    return ("%s the program %s.%s Run «FoleySpace: Check installation»."):format(failed, self.bridge, said)
  end
  return ("The FoleySpace bridge has ended or hangs: it said nothing for %d seconds.%s Try again; "
    .. "«foleyspace doctor» in a terminal looks for the reason."):format(SILENCE_S, said)
end

-- Looks into the mailbox. Returns "running" and the progress or nil; "done" and the response; or "lost", a sentence,
-- and a response if there is one that cannot be understood. breathe: called while a long response is read, or nil.
function Job:poll(breathe)
  local now = reaper.time_precise()
  if now - self.looked_at > PAUSE_S then -- a dialog was open, or the machine slept: that was not the bridge's silence
    self.heard_at = self.heard_at + (now - self.looked_at)
  end
  self.looked_at = now
  local response = decoded(self:path("response.json"), breathe)
  if type(response) == "table" then
    if response.foleyspace_mailbox ~= VERSION then
      return "lost", "These scripts and the installed FoleySpace do not fit together. " .. install.CURE, response
    end
    return "done", response
  end
  local progress = decoded(self:path("progress.json"))
  if type(progress) == "table" and progress.seq ~= self.seq then
    self.seq, self.heard_at, self.progress = progress.seq, now, progress
  end
  if now - self.heard_at > (self.seq and SILENCE_S or START_S) then return "lost", self:_silence() end
  if not reaper.file_exists(self:path("request.json")) then return "lost", self:_silence() end
  return "running", self.progress
end

-- Asks the bridge to cancel; its response says when it has.
function Job:cancel()
  if not self.is_cancelled then
    self.is_cancelled = true
    files.write_whole(self:path("cancel"), "")
  end
end

-- Removes the folder; a bridge that still works in it ends.
function Job:remove()
  files.remove_folder(self.folder)
end

return job
