-- The effects of FoleySpace, which only hold automation: where one is, and what it and its automation say.
local envelope = require("envelope")

local own_fx = {}

local FAMILY = "FoleySpace " -- with which the names of all of them begin

local TAKE = { count = "TakeFX_GetCount", name = "TakeFX_GetFXName", enabled = "TakeFX_GetEnabled",
  parameter = "TakeFX_GetParam", envelope = "TakeFX_GetEnvelope", config = "TakeFX_GetNamedConfigParm" }
local TRACK = { count = "TrackFX_GetCount", name = "TrackFX_GetFXName", enabled = "TrackFX_GetEnabled",
  parameter = "TrackFX_GetParam", envelope = "GetFXEnvelope", config = "TrackFX_GetNamedConfigParm" }

-- Users give effects names of their own; what it is, it is still called in its configuration.
local function is_called(calls, owner, index, wanted)
  local _, name = reaper[calls.name](owner, index)
  if name:find(wanted, 1, true) then return true, name end
  for _, key in ipairs({ "original_name", "fx_ident" }) do
    local ok, text = reaper[calls.config](owner, index, key)
    if ok and text:find(wanted, 1, true) then return true, name end
  end
  return false, name
end

-- Returns the names of effects on a take that are switched on and none of FoleySpace.
function own_fx.others(take)
  local others = {}
  for index = 0, reaper.TakeFX_GetCount(take) - 1 do
    local ours, name = is_called(TAKE, take, index, FAMILY)
    if reaper.TakeFX_GetEnabled(take, index) and not ours then others[#others + 1] = name end
  end
  table.sort(others)
  return others
end

-- Returns functions from raw values, which run from low to high, to the parameter's own unit, and back.
local function scales(range, low, high)
  local factor = (range[2] - range[1]) / (high - low)
  return function(raw)
    return math.max(range[1], math.min(range[2], range[1] + (raw - low) * factor))
  end, function(value)
    return low + (math.max(range[1], math.min(range[2], value)) - range[1]) / factor
  end
end

-- Returns what finds and reads one of the effects. name: FoleySpace and a word; ranges: of each parameter.
function own_fx.new(name, ranges)
  local fx = { NAME = name, RANGES = ranges }
  -- What FX_AddByName is asked for, in turn: by description, and by file as both ways to install leave it.
  fx.ADDRESSES = { "JS: " .. name, ("JS:FoleySpace/%s.jsfx"):format(name) }

  local function find(calls, owner)
    for index = 0, reaper[calls.count](owner) - 1 do
      if reaper[calls.enabled](owner, index) and is_called(calls, owner, index, name) then
        return { calls = calls, owner = owner, index = index }
      end
    end
  end

  -- Returns the place of the effect on a take, or nil.
  function fx.on_take(take)
    return find(TAKE, take)
  end

  -- Returns the place of the effect on a track or the nearest folder around it, or nil.
  function fx.on_track(track)
    while track do
      local place = find(TRACK, track)
      if place then return place end
      track = reaper.GetParentTrack(track)
    end
  end

  -- Returns the envelope of a parameter, counted from 1; it is made on wish.
  function fx.envelope(place, parameter, make)
    return reaper[place.calls.envelope](place.owner, place.index, parameter - 1, make)
  end

  -- Returns a parameter as a curve for envelope.rows.
  function fx.curve(place, parameter)
    local raw, low, high = reaper[place.calls.parameter](place.owner, place.index, parameter - 1)
    local curve = { value = scales(ranges[parameter], low, high)(raw) }
    local env = fx.envelope(place, parameter, false)
    if envelope.usable(env) then
      local _, env_low, env_high = envelope.head(env)
      curve.env = env
      curve.scale = scales(ranges[parameter], env_low or low, env_high or high)
    end
    return curve
  end

  -- Returns a function from the parameter's own unit to values of its envelope.
  function fx.to_envelope(place, parameter, env)
    local _, low, high = reaper[place.calls.parameter](place.owner, place.index, parameter - 1)
    local _, env_low, env_high = envelope.head(env)
    local _, back = scales(ranges[parameter], env_low or low, env_high or high)
    return back
  end

  return fx
end

return own_fx
