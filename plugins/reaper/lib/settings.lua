-- What the user has chosen: kept in the project, and as the proposal for the next one.
local marks = require("marks")

local settings = {}

local SECTION = "FoleySpace"

-- Every setting: key, what it is called, its default, and what it may be.
--   choice: list of { value, name, capability or nil }; number: { low, high }; text and file: anything; flag: yes or no
settings.FIELDS = {
  { key = "format", label = "Output", default = "binaural", choice = {
    { "binaural", "Binaural (2 channels)", "format:binaural" },
    { "stereo", "Stereo (2 channels)", "format:stereo" },
    { "foa", "Ambisonic, 1st order (4 channels)", "format:foa" },
    { "hoa2", "Ambisonic, 2nd order (9 channels)", "format:hoa2" },
    { "hoa3", "Ambisonic, 3rd order (16 channels)", "format:hoa3" },
    { "5.1", "5.1 (6 channels)", "format:5.1" },
    { "7.1.4", "7.1.4 (12 channels)", "format:7.1.4" } } },
  { key = "renderer", label = "Renderer", default = "hrtf", choice = {
    { "hrtf", "HRTF: exact", "renderer:hrtf" },
    { "diffusion", "Diffusion: learned from measured rooms", "renderer:diffusion" } } },
  { key = "quality", label = "Diffusion quality", default = "draft", choice = {
    { "dsp", "None: its signal processing alone" }, { "draft", "Draft: fast" }, { "fine", "Fine: slow" } } },
  { key = "hrtf", label = "HRTF file", default = "", file = "sofa", empty = "MIT KEMAR (shipped)" },
  { key = "listener", label = "Listener file", default = "", file = "json", empty = "none" },
  { key = "room", label = "Room", default = "dry", text = true, choice = {
    { "dry", "Dry: no room" }, { "studio", "Studio" }, { "living-room", "Living room" },
    { "hall", "Hall" }, { "church", "Church" }, { "street", "Street" }, { "forest", "Forest" } } },
  { key = "spread", label = "Spread (1 is true)", default = 1, number = { 0, 10 } },
  { key = "distance_gain", label = "Level over distance", default = "relative", choice = {
    { "relative", "Relative (recordings)" },
    { "physical", "Physical (dry sounds)" }, { "none", "None" } } },
  { key = "propagation", label = "Travel time", default = "none", choice = {
    { "none", "None: in sync with the picture" }, { "doppler", "Doppler shift only" },
    { "physical", "All of it: late and shifted" } } },
  { key = "engine", label = "Foley is made by", default = "usual", choice = {
    { "usual", "The host's usual engine" },
    { "foley", "Foley: the embedded model", "engine:foley" },
    { "library", "Library: your own recordings", "engine:library" },
    { "stable-audio", "Stable Audio", "engine:stable-audio" },
    { "mmaudio", "MMAudio, or a model of yours", "engine:mmaudio" } } },
  { key = "channels", label = "Channels of the sound", default = "mono", choice = {
    { "mono", "Summed to one" }, { "each", "Each placed, side by side" } } },
  { key = "tail_s", label = "Tail (s)", default = 0, number = { 0, 30 } },
  { key = "seed", label = "Seed", default = 0, number = { 0, 2147483647 }, whole = true },
  { key = "hfov_deg", label = "Video field of view (deg)", default = 60, number = { 1, 179 } },
  { key = "mute_source", label = "Mute source items", default = true, flag = true },
  { key = "profile", label = "Host profile", default = "default", text = true },
}

-- Those that say how a sound is rendered, as the mailbox has them.
local RENDERING = { "format", "renderer", "quality", "hrtf", "listener", "room", "spread", "distance_gain",
  "propagation", "tail_s", "seed" }

local CHANNELS = { binaural = 2, stereo = 2, foa = 4, hoa2 = 9, hoa3 = 16, ["5.1"] = 6, ["7.1.4"] = 12 }

-- Returns a sentence if these settings do not go together, else nil.
function settings.conflict(values)
  if values.renderer == "diffusion" and values.format ~= "binaural" then
    return "The diffusion renderer makes binaural sound only: choose Binaural, or the HRTF renderer."
  end
  if values.renderer == "diffusion" and values.channels == "each" then
    return "The diffusion renderer places one channel: let the channels be summed, or choose the HRTF renderer."
  end
  if values.hrtf ~= "" and values.format ~= "binaural" then
    return "An HRTF file is for binaural sound only: choose Binaural, or no HRTF file."
  end
end

-- Returns how many channels results have.
function settings.n_channels(values)
  return CHANNELS[values.format] or 2
end

-- Returns a value that this field may have: the given one, or its default.
function settings.valid(field, value)
  if field.flag then
    if type(value) == "boolean" then return value end
  elseif field.number then
    local number = type(value) == "number" and value == value and value or nil
    if number and number >= field.number[1] and number <= field.number[2] then
      return field.whole and math.floor(number) or number
    end
  elseif type(value) == "string" then
    if field.text or field.file then return value end
    for _, one in ipairs(field.choice) do
      if one[1] == value then return value end
    end
  end
  return field.default
end

local function stored(project)
  if project then
    local _, text = reaper.GetProjExtState(project, SECTION, "settings")
    if text ~= "" then return marks.decode(text) end
  end
  local text = reaper.GetExtState(SECTION, "settings")
  return text ~= "" and marks.decode(text) or nil
end

-- Returns the settings of a project: its own, else those chosen last, else the defaults.
function settings.load(project)
  local saved = stored(project)
  if type(saved) ~= "table" then saved = {} end
  local values = {}
  for _, field in ipairs(settings.FIELDS) do values[field.key] = settings.valid(field, saved[field.key]) end
  return values
end

-- Keeps settings in a project, and for the projects to come.
function settings.save(project, values)
  local text = marks.encode(values)
  reaper.SetProjExtState(project, SECTION, "settings", text)
  reaper.SetExtState(SECTION, "settings", text, true)
end

-- Returns what a request says of them. What is as it comes is left out.
function settings.request(values)
  local request = {}
  for _, key in ipairs(RENDERING) do
    if values[key] ~= "" then request[key] = values[key] end
  end
  if request.renderer ~= "diffusion" then
    request.quality, request.seed, request.listener = nil, nil, nil
  end
  if request.room == "dry" then request.room = nil end
  return request
end

return settings
