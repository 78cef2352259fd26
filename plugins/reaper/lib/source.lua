-- What a take plays, and how its sound can be had.
--
-- Only plain parts of WAV, AIFF and FLAC files are read from the file by the host. All else that REAPER can play is
-- taken from REAPER itself, through the take's audio accessor: rates, pitch, stretch markers, sections and reversed
-- sound need its algorithms, and decoders of MP3, Ogg and videos differ by some milliseconds at the start.
local envelope = require("envelope")

local source = {}

local PLAIN_TYPES = { WAVE = true, AIFF = true, FLAC = true }
local PICTURES = { png = true, jpg = true, jpeg = true, gif = true, bmp = true, lcf = true, svg = true, webp = true }
local SOUND_ONLY = { m4a = true, m4b = true, aac = true, mka = true, wma = true, ac3 = true, mp2 = true, caf = true }

-- Returns what a take plays: its outer and root types, file, channels, length, and whether it is a section.
function source.describe(take)
  local outer = reaper.GetMediaItemTake_Source(take)
  if not outer then return nil end
  local root = outer
  for _ = 1, 32 do
    local parent = reaper.GetMediaSourceParent(root)
    if not parent then break end
    root = parent
  end
  local length, is_beats = reaper.GetMediaSourceLength(outer)
  local path = reaper.GetMediaSourceFileName(root)
  local found = {
    outer_type = reaper.GetMediaSourceType(outer),
    type = reaper.GetMediaSourceType(root),
    path = path ~= "" and path or nil,
    n_channels = reaper.GetMediaSourceNumChannels(outer),
    length_s = not is_beats and length or nil,
    is_section = outer ~= root,
  }
  if found.outer_type == "SECTION" then
    local ok, offset, section_length, reversed = reaper.PCM_Source_GetSectionInfo(outer)
    if ok then found.section = { offset, section_length, reversed } end
    found.is_section = true
  end
  found.suffix = (found.path or ""):match("%.(%w+)$")
  found.suffix = found.suffix and found.suffix:lower() or ""
  return found
end

-- Returns whether it is a video with a picture.
function source.is_video(about)
  return about.type == "VIDEO" and about.path ~= nil and not PICTURES[about.suffix] and not SOUND_ONLY[about.suffix]
end

-- Returns a sentence if the take makes no sound that can be had, else nil.
function source.refusal(take, about)
  if not about or about.type == "EMPTY" or about.type == "" then return "it is empty" end
  if reaper.TakeIsMIDI(take) or about.type:find("^MIDI") then
    return "it is MIDI, which sounds only through an instrument: render or freeze it to audio first"
  end
  if about.type:find("OFFLINE") or about.outer_type:find("OFFLINE") then
    return "its media is offline: set it online first"
  end
  if about.path and not reaper.file_exists(about.path) then return "its file is missing: " .. about.path end
  if PICTURES[about.suffix] then return "it is a picture" end
  if about.n_channels < 1 then return "it has no sound" end
  return nil
end

-- Returns the settings of a take that decide how it sounds.
function source.settings(item, take)
  local function of_take(name) return reaper.GetMediaItemTakeInfo_Value(take, name) end
  local settings = {
    start_s = of_take("D_STARTOFFS"),
    rate = of_take("D_PLAYRATE"),
    pitch = of_take("D_PITCH"),
    keeps_pitch = of_take("B_PPITCH"),
    pitch_mode = of_take("I_PITCHMODE"),
    channel_mode = math.floor(of_take("I_CHANMODE")),
    loops = reaper.GetMediaItemInfo_Value(item, "B_LOOPSRC") ~= 0,
    stretch = {},
  }
  for index = 0, reaper.GetTakeNumStretchMarkers(take) - 1 do
    local _, position, source_position = reaper.GetTakeStretchMarker(take, index)
    local slope = reaper.GetTakeStretchMarkerSlope(take, index)
    settings.stretch[index + 1] = { position, source_position or position, slope }
  end
  settings.has_pitch_envelope = envelope.of_take(take, "PITCHENV") ~= nil
  return settings
end

-- Returns whether the host can read the sound from the file, span by span.
function source.is_plain(about, settings, length_s)
  local inside = about.length_s and settings.start_s >= 0
    and settings.start_s + length_s <= about.length_s + 1e-6
  return PLAIN_TYPES[about.type] == true and not about.is_section
    and settings.rate == 1 and settings.pitch == 0 and not settings.has_pitch_envelope and #settings.stretch == 0
    and settings.channel_mode >= 0 and settings.channel_mode <= 4
    and (inside or not settings.loops)
end

-- Returns how many channels of the accessor hold sound: it must always be asked for all of the source's channels,
-- and puts those of the channel mode first (as the SWS extension's loudness analysis found).
function source.sounding_channels(about, settings)
  local mode = settings.channel_mode
  if mode >= 67 then return math.min(2, about.n_channels) end
  if mode >= 2 then return 1 end
  return about.n_channels
end

return source
