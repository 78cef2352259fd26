-- The JSFX "FoleySpace Position": where it is, and what it and its automation say.
local envelope = require("envelope")

local position_fx = {}

position_fx.NAME = "FoleySpace Position"
-- What TrackFX_AddByName is asked for, in turn: by description, and by file as both ways to install leave it.
position_fx.ADDRESSES = { "JS: FoleySpace Position", "JS:FoleySpace/FoleySpace Position.jsfx" }
-- Range of each parameter: azimuth [deg], elevation [deg], distance [m].
position_fx.RANGES = { { -1080, 1080 }, { -90, 90 }, { 0.3, 50 } }

local TAKE = { count = "TakeFX_GetCount", name = "TakeFX_GetFXName", enabled = "TakeFX_GetEnabled",
  parameter = "TakeFX_GetParam", envelope = "TakeFX_GetEnvelope", config = "TakeFX_GetNamedConfigParm" }
local TRACK = { count = "TrackFX_GetCount", name = "TrackFX_GetFXName", enabled = "TrackFX_GetEnabled",
  parameter = "TrackFX_GetParam", envelope = "GetFXEnvelope", config = "TrackFX_GetNamedConfigParm" }

-- Users give effects names of their own; what it is, it is still called in its configuration.
local function is_ours(calls, owner, index)
  local _, name = reaper[calls.name](owner, index)
  if name:find(position_fx.NAME, 1, true) then return true, name end
  for _, key in ipairs({ "original_name", "fx_ident" }) do
    local ok, text = reaper[calls.config](owner, index, key)
    if ok and text:find(position_fx.NAME, 1, true) then return true, name end
  end
  return false, name
end

local function find(calls, owner)
  for index = 0, reaper[calls.count](owner) - 1 do
    if reaper[calls.enabled](owner, index) and is_ours(calls, owner, index) then
      return { calls = calls, owner = owner, index = index }
    end
  end
end

-- Returns the place of the effect on a take, or nil.
function position_fx.on_take(take)
  return find(TAKE, take)
end

-- Returns the place of the effect on a track or the nearest folder around it, or nil.
function position_fx.on_track(track)
  while track do
    local place = find(TRACK, track)
    if place then return place end
    track = reaper.GetParentTrack(track)
  end
end

-- Returns the names of the other effects on a take that are switched on.
function position_fx.others(take)
  local others = {}
  for index = 0, reaper.TakeFX_GetCount(take) - 1 do
    local ours, name = is_ours(TAKE, take, index)
    if reaper.TakeFX_GetEnabled(take, index) and not ours then others[#others + 1] = name end
  end
  table.sort(others)
  return others
end

-- Returns functions from raw values, which run from low to high, to the parameter's own unit, and back.
local function scales(parameter, low, high)
  local range = position_fx.RANGES[parameter]
  local factor = (range[2] - range[1]) / (high - low)
  return function(raw)
    return math.max(range[1], math.min(range[2], range[1] + (raw - low) * factor))
  end, function(value)
    return low + (math.max(range[1], math.min(range[2], value)) - range[1]) / factor
  end
end

-- Returns a parameter as a curve for envelope.rows. parameter: 1 azimuth, 2 elevation, 3 distance.
function position_fx.curve(place, parameter)
  local raw, low, high = reaper[place.calls.parameter](place.owner, place.index, parameter - 1)
  local curve = { value = scales(parameter, low, high)(raw) }
  local env = reaper[place.calls.envelope](place.owner, place.index, parameter - 1, false)
  if envelope.usable(env) then
    local _, env_low, env_high = envelope.head(env)
    curve.env = env
    curve.scale = scales(parameter, env_low or low, env_high or high)
  end
  return curve
end

-- Returns a function from the parameter's own unit to values of its envelope.
function position_fx.to_envelope(track, index, parameter, env)
  local _, low, high = reaper.TrackFX_GetParam(track, index, parameter - 1)
  local _, env_low, env_high = envelope.head(env)
  local _, back = scales(parameter, env_low or low, env_high or high)
  return back
end

return position_fx
