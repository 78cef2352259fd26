-- Edits of a project that happen as one: one undo point if all goes well, and none of them if anything fails.
local marks = require("marks")

local edit = {}

local Edits = {}
Edits.__index = Edits

local function done(ok, what)
  if not ok then error(what .. " was refused by REAPER", 0) end
end

function Edits:_back(inverse)
  self.journal[#self.journal + 1] = inverse
end

-- Inserts a track before the track of this index; returns it.
function Edits:insert_track(index)
  local before = reaper.CountTracks(self.project)
  self:_back(function() -- before it is there: whatever fails from here on, it goes
    if reaper.CountTracks(self.project) > before then reaper.DeleteTrack(reaper.GetTrack(self.project, index)) end
  end)
  reaper.InsertTrackAtIndex(index, false)
  local track = reaper.CountTracks(self.project) == before + 1 and reaper.GetTrack(self.project, index)
  done(track, "a new track")
  return track
end

function Edits:set_track(track, name, value)
  local old = reaper.GetMediaTrackInfo_Value(track, name)
  done(reaper.SetMediaTrackInfo_Value(track, name, value), name .. " of a track")
  self:_back(function() reaper.SetMediaTrackInfo_Value(track, name, old) end)
end

function Edits:set_track_text(track, name, text)
  local _, old = reaper.GetSetMediaTrackInfo_String(track, name, "", false)
  done(reaper.GetSetMediaTrackInfo_String(track, name, text, true), name .. " of a track")
  self:_back(function() reaper.GetSetMediaTrackInfo_String(track, name, old, true) end)
end

-- Adds an item with a take that plays a source; returns both. The source is then the project's. What is set on the
-- item and the take needs no way back: they go as a whole if the block fails.
function Edits:add_item(track, source)
  local item = reaper.AddMediaItemToTrack(track)
  done(item, "a new item")
  self:_back(function() reaper.DeleteTrackMediaItem(track, item) end)
  local take = reaper.AddTakeToMediaItem(item)
  done(take, "a new take")
  done(reaper.SetMediaItemTake_Source(take, source), "the source of a take")
  return item, take
end

function Edits:set_item(item, name, value)
  local old = reaper.GetMediaItemInfo_Value(item, name)
  done(reaper.SetMediaItemInfo_Value(item, name, value), name .. " of an item")
  self:_back(function() reaper.SetMediaItemInfo_Value(item, name, old) end)
end

-- mark: as text.
function Edits:set_item_mark(item, mark)
  local _, old = reaper.GetSetMediaItemInfo_String(item, marks.KEY, "", false)
  done(reaper.GetSetMediaItemInfo_String(item, marks.KEY, mark, true), "the mark of an item")
  self:_back(function() reaper.GetSetMediaItemInfo_String(item, marks.KEY, old, true) end)
end

function Edits:set_take(take, name, value)
  local old = reaper.GetMediaItemTakeInfo_Value(take, name)
  done(reaper.SetMediaItemTakeInfo_Value(take, name, value), name .. " of a take")
  self:_back(function() reaper.SetMediaItemTakeInfo_Value(take, name, old) end)
end

function Edits:set_take_text(take, name, text)
  local _, old = reaper.GetSetMediaItemTakeInfo_String(take, name, "", false)
  done(reaper.GetSetMediaItemTakeInfo_String(take, name, text, true), name .. " of a take")
  self:_back(function() reaper.GetSetMediaItemTakeInfo_String(take, name, old, true) end)
end

-- Exchanges what a take plays. on_back: called when that was taken back and the source is the caller's again.
function Edits:exchange_source(take, source, on_back)
  local old = reaper.GetMediaItemTake_Source(take)
  done(reaper.SetMediaItemTake_Source(take, source), "the source of a take")
  self:_back(function()
    reaper.SetMediaItemTake_Source(take, old)
    on_back()
  end)
end

-- Adds one of our effects to a track of this block, with which it goes if the block fails. Returns its place.
function edit.add_fx(track, fx)
  for _, address in ipairs(fx.ADDRESSES) do
    if reaper.TrackFX_AddByName(track, address, false, -1) >= 0 then return fx.on_track(track) end
  end
  error(("the effect «%s» is not installed: run «foleyspace reaper install» in a terminal, then restart REAPER")
    :format(fx.NAME), 0)
end

-- Adds one of our effects to a take of this block. Returns its place, or nil if it is not installed.
function edit.add_take_fx(take, fx)
  for _, address in ipairs(fx.ADDRESSES) do
    if reaper.TakeFX_AddByName(take, address, -1) >= 0 then return fx.on_take(take) end
  end
end

-- Draws the automation of a parameter on what is new in this block. points: list of { time, value, shape }.
function edit.draw(env, points)
  done(env, "an envelope")
  reaper.DeleteEnvelopePointRange(env, -1e9, 1e9)
  for _, point in ipairs(points) do
    done(reaper.InsertEnvelopePoint(env, point[1], point[2], point[3], 0, false, true), "a point of an envelope")
  end
  reaper.Envelope_SortPoints(env)
end

-- Does work(edits) as one step. Returns whether, and what it returned or the reason; on a failure all is as before.
function edit.block(project, title, work)
  local front = reaper.EnumProjects(-1)
  if front ~= project then reaper.SelectProjectInstance(project) end -- new tracks go into the tab in front
  reaper.Undo_BeginBlock2(project)
  reaper.PreventUIRefresh(1)
  local edits = setmetatable({ project = project, journal = {} }, Edits)
  local ok, result = pcall(work, edits)
  if not ok then
    for index = #edits.journal, 1, -1 do pcall(edits.journal[index]) end
  end
  reaper.PreventUIRefresh(-1)
  reaper.Undo_EndBlock2(project, ok and title or title .. " (taken back)", ok and -1 or 0)
  if front ~= project and front then reaper.SelectProjectInstance(front) end
  reaper.TrackList_AdjustWindows(false)
  reaper.UpdateArrange()
  return ok, result
end

return edit
