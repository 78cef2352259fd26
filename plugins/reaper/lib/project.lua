-- Facts of a project: its rate, where its media goes, what would spoil a binaural sound on its way out.
local files = require("files")

local project = {}

-- Returns whether a project is still open in one of the tabs.
function project.is_open(handle)
  for index = 0, 999 do
    local open = reaper.EnumProjects(index)
    if not open then return false end
    if open == handle then return true end
  end
  return false
end

-- Returns the sampling rate [Hz]: the project's, or else the sound card's.
function project.rate_hz(handle)
  if reaper.GetSetProjectInfo(handle, "PROJECT_SRATE_USE", 0, false) ~= 0 then
    return math.floor(reaper.GetSetProjectInfo(handle, "PROJECT_SRATE", 0, false) + 0.5)
  end
  local ok, text = reaper.GetAudioDeviceInfo("SRATE")
  local rate = ok and tonumber(text)
  return rate and rate > 0 and math.floor(rate + 0.5) or 48000
end

-- Returns the folder for results: beside the project's recordings. It is made if it is not there.
-- Returns nil and a sentence if nothing can be written there.
function project.output_folder(handle)
  local media = reaper.GetProjectPathEx(handle)
  if media == "" then media = files.join(reaper.GetResourcePath(), "Data", "FoleySpace") end
  local folder = files.join(media, "FoleySpace")
  local ok, why = files.make_folder(folder)
  if ok then return folder end
  return nil, ("Nothing can be written to %s: %s."):format(folder, why or "unknown reason")
end

local function spoils(track, n_channels)
  local function value(name) return reaper.GetMediaTrackInfo_Value(track, name) end
  local mode, found = math.floor(value("I_PANMODE")), {}
  if mode == 6 then -- dual pan
    if value("D_DUALPANL") ~= -1 or value("D_DUALPANR") ~= 1 then found[1] = "its dual pan is not left and right" end
  else
    if value("D_PAN") ~= 0 then found[#found + 1] = "it is panned" end
    if mode == 5 and value("D_WIDTH") ~= 1 then found[#found + 1] = "its width is not 100 %" end
  end
  if value("I_NCHAN") < n_channels then
    found[#found + 1] = ("it has %d channels of %d"):format(value("I_NCHAN"), n_channels)
  end
  return found
end

-- Returns sentences about the tracks that a result on a child of this track goes through.
function project.warnings(handle, track, n_channels)
  local warnings, seen = {}, {}
  local function look(one, name)
    local found = spoils(one, n_channels)
    if #found > 0 then
      warnings[#warnings + 1] = ("%s: %s, which changes what its results sound like"):format(
        name, table.concat(found, " and "))
    end
  end
  while track and not seen[track] do
    seen[track] = true
    local _, name = reaper.GetTrackName(track)
    look(track, ("track «%s»"):format(name))
    track = reaper.GetParentTrack(track)
  end
  look(reaper.GetMasterTrack(handle), "the master track")
  return warnings
end

return project
