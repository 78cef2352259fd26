-- Where the trajectory of each item comes from: what the user drew, else a video beside it, else a dialog.
local ask = require("ask")
local files = require("files")
local position_fx = require("position_fx")
local trajectory = require("trajectory")
local video = require("video")

local ways = {}

-- Returns the keys that the position effect says for a record, or false if there is none.
local function drawn(record, breathe)
  local take = reaper.GetActiveTake(record.item)
  local place = take and position_fx.on_take(take)
  if place then -- envelopes of takes count in the item's time, stretched by its rate
    return trajectory.from_fx(place, 0, record.length_s * record.speed, record.speed, breathe)
  end
  place = position_fx.on_track(record.track)
  if place then
    return trajectory.from_fx(place, record.position_s, record.position_s + record.length_s, 1, breathe)
  end
  return false
end

local function show(record, shown, label, hfov_deg)
  local part = video.part(shown, record.position_s, record.position_s + record.length_s)
  part.label = label ~= "" and label or nil
  part.hfov_deg = hfov_deg
  record.request.trajectory = { video = part }
  record.sounds_as.video_size = files.size(part.path) or 0
  record.way = { kind = "video", label = label }
end

local function pass_by(record, pass)
  record.request.trajectory = { keys = trajectory.from_pass(pass, record.length_s) }
  record.way = { kind = "pass", pass = pass }
end

-- Gives each record its trajectory. again: whether what was answered for an item before counts. Asks each question
-- once at most. Returns those records whose items are still there, or nil if the user does not answer.
function ways.find(session, records, hfov_deg, again)
  local videos, label
  local found, undecided = {}, {}
  for _, record in ipairs(records) do
    local keys = session:with_item(record.item, function(breathe) return drawn(record, breathe) end)
    local before = again and record.mark and record.mark.way or {}
    if keys == nil then
      session.report:problem(record.name, "it was deleted while it was read")
    else
      found[#found + 1] = record
      if keys then
        record.request.trajectory = { keys = keys }
        record.way = { kind = "drawn" }
      elseif before.kind == "pass" then
        pass_by(record, before.pass)
      else
        videos = videos or video.all(session.project, session.breathe)
        local shown = video.beside(videos, record.position_s, record.position_s + record.length_s)
        if shown and before.kind == "video" then
          show(record, shown, before.label or "", hfov_deg)
        elseif shown then
          label = label or ask.label(shown.name)
          if not label then return nil end
          show(record, shown, label, hfov_deg)
        else
          undecided[#undecided + 1] = record
        end
      end
    end
    session.breathe()
  end
  if #undecided > 0 then
    local pass = ask.pass(#undecided)
    if not pass then return nil end
    for _, record in ipairs(undecided) do pass_by(record, pass) end
  end
  return found
end

return ways
