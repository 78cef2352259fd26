-- Reads items into records that a request is made of. It reads only: nothing here changes a project.
local envelope = require("envelope")
local hash = require("hash")
local files = require("files")
local json = require("json")
local marks = require("marks")
local own_fx = require("own_fx")
local source = require("source")

local collect = {}

-- Returns which samples an item takes: half-open, each end rounded by itself, so that neighbours meet.
function collect.n_samples(position_s, length_s, rate_hz)
  return math.floor((position_s + length_s) * rate_hz + 0.5) - math.floor(position_s * rate_hz + 0.5)
end

local function name_of(take, about)
  local name = ""
  if take then
    local _
    _, name = reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", "", false)
  end
  if name == "" and about and about.path then name = files.name(about.path) end
  return name ~= "" and name or "item without a name"
end

local function fade(item, side)
  local function value(name) return reaper.GetMediaItemInfo_Value(item, name) end
  local automatic = value("D_FADE" .. side .. "LEN_AUTO")
  local length = automatic > 0 and automatic or value("D_FADE" .. side .. "LEN")
  if length <= 0 then return nil end
  return {
    length_s = length,
    shape = math.floor(value("C_FADE" .. side .. "SHAPE")),
    curve = math.max(-1, math.min(1, value("D_FADE" .. side .. "DIR"))),
  }
end

-- Returns the take's volume and mute envelopes as one curve of gains, or nil.
local function volume_envelope(take, length_s, speed, breathe)
  local curves = {}
  local volume = envelope.of_take(take, "VOLENV")
  if volume then
    local scale, bent = envelope.level_scale(volume)
    curves[1] = { env = volume, scale = scale, bent = bent }
  end
  local mute = envelope.of_take(take, "MUTEENV")
  if mute then
    curves[#curves + 1] = { env = mute, scale = function(value) return value >= 0.5 and 1 or 0 end }
  end
  if #curves == 0 then return nil end
  local points = {}
  for index, row in ipairs(envelope.rows(curves, 0, length_s * speed, breathe)) do
    points[index] = { row.t / speed, row[1] * (row[2] or 1) }
  end
  return points
end

local function notes_of(item, take)
  local notes = {}
  local others = own_fx.others(take)
  if #others > 0 then
    notes[#notes + 1] = "its take FX are not in the result: " .. table.concat(others, ", ")
  end
  local pan = envelope.of_take(take, "PANENV")
  if pan or reaper.GetMediaItemTakeInfo_Value(take, "D_PAN") ~= 0 then
    notes[#notes + 1] = "its take pan is not used: the sound is placed by its trajectory"
  end
  if reaper.GetMediaItemInfo_Value(item, "C_LOCK") ~= 0 then
    notes[#notes + 1] = "it is locked; its result is placed all the same"
  end
  return notes
end

-- Returns the record of an item.
--
-- guid, name, position_s, length_s, n_samples, track; refused: a sentence if it cannot be done; request: the item
-- as the mailbox has it, still without a trajectory; accessor: { n_channels, sounding } if the sound must be taken
-- from REAPER; notes: sentences for the user; sounds_as: all that decides how it sounds.
function collect.item(item, rate_hz, settings, breathe)
  local take = reaper.GetActiveTake(item)
  local about = take and source.describe(take)
  local record = {
    guid = marks.guid(item),
    name = name_of(take, about),
    item = item,
    track = reaper.GetMediaItem_Track(item),
    position_s = reaper.GetMediaItemInfo_Value(item, "D_POSITION"),
    length_s = reaper.GetMediaItemInfo_Value(item, "D_LENGTH"),
    mark = marks.of_item(item),
  }
  record.n_samples = collect.n_samples(record.position_s, record.length_s, rate_hz)
  if record.mark and record.mark.result_of then
    record.refused = "it is a result of FoleySpace itself: select the item it was made of"
  elseif not take then
    record.refused = "it has no take"
  elseif record.n_samples < 1 then
    record.refused = "it is shorter than a sample"
  else
    record.refused = source.refusal(take, about)
  end
  if record.refused then return record end

  local as_played = source.settings(item, take)
  local is_plain = source.is_plain(about, as_played, record.length_s)
  record.speed = as_played.rate
  record.notes = notes_of(item, take)
  record.request = {
    id = record.guid,
    name = record.name,
    position_s = record.position_s,
    length_s = record.length_s,
    n_samples = record.n_samples,
    gain = reaper.GetMediaItemInfo_Value(item, "D_VOL") * reaper.GetMediaItemTakeInfo_Value(take, "D_VOL"),
    fade_in = fade(item, "IN"),
    fade_out = fade(item, "OUT"),
    volume_envelope = volume_envelope(take, record.length_s, as_played.rate, breathe),
    channels = settings.channels,
  }
  if is_plain then
    record.request.sound = {
      path = about.path,
      start_s = as_played.start_s,
      duration_s = math.min(record.length_s, math.max(0, (about.length_s or math.huge) - as_played.start_s)),
      channel_mode = as_played.channel_mode,
    }
  else
    record.accessor = { n_channels = about.n_channels, sounding = source.sounding_channels(about, as_played) }
  end
  record.sounds_as = {
    path = about.path or "", size = about.path and files.size(about.path) or 0, type = about.type,
    section = about.section or json.NULL, settings = as_played,
  }
  as_played.stretch = #as_played.stretch > 0 and as_played.stretch or nil
  return record
end

-- Returns the selected items of a project.
function collect.selected(project)
  local items = {}
  for index = 0, reaper.CountSelectedMediaItems(project) - 1 do
    items[#items + 1] = reaper.GetSelectedMediaItem(project, index)
  end
  return items
end

-- Returns the mark of all that decides what a record's result is: if it is the same, so is the result.
function collect.hash(record, rate_hz, render_settings, breathe)
  local request = {}
  for key, value in pairs(record.request) do request[key] = value end
  request.id, request.name, request.sound = nil, nil, nil
  request.position_s = nil -- moving an item alone changes nothing that is heard; n_samples tells the rest
  return hash.of(json.encode({ request, record.sounds_as, render_settings, rate_hz }, breathe), breathe)
end

return collect
