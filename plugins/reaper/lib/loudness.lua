-- Loudness over time of generated sounds: from what the user drew to a request, and from an answer to automation.
local edit = require("edit")
local envelope = require("envelope")
local loudness_fx = require("loudness_fx")

local loudness = {}

local LINEAR = 0 -- shape of envelope points: a straight line follows

local function read(place, from_s, to_s, breathe)
  local curve = place and loudness_fx.curve(place, 1)
  if not curve or not curve.env then return nil end -- the effect alone says nothing
  local points = {}
  for index, row in ipairs(envelope.rows({ curve }, from_s, to_s, breathe)) do points[index] = { row.t, row[1] } end
  return points
end

-- Returns the points { t, level [dB] } that are drawn on a take of this length, or nil.
function loudness.of_take(take, length_s, breathe)
  return read(loudness_fx.on_take(take), 0, length_s, breathe)
end

-- Returns the points that are drawn on a track or a folder around it from one time of the project to another, or nil.
function loudness.of_track(track, from_s, to_s, breathe)
  return track and read(loudness_fx.on_track(track), from_s, to_s, breathe)
end

-- Draws points on a new take. Returns a sentence if it cannot be done: the sound is there all the same.
function loudness.draw(take, points)
  if #points == 0 then return nil end
  local place = edit.add_take_fx(take, loudness_fx)
  if not place then
    return "its loudness is not drawn: the effect «FoleySpace Loudness» is not installed; run «foleyspace reaper "
      .. "install» in a terminal, then restart REAPER"
  end
  local env = loudness_fx.envelope(place, 1, true)
  if not env then error("an envelope was refused by REAPER", 0) end
  local to_envelope = loudness_fx.to_envelope(place, 1, env)
  local drawn = {}
  for index, point in ipairs(points) do drawn[index] = { point[1], to_envelope(point[2]), LINEAR } end
  edit.draw(env, drawn)
end

return loudness
