-- From what the user drew or typed to the keys of a trajectory, and from keys to points that one likes to edit.
-- Azimuths are unwrapped all the way: from 170 to 190 goes behind the head, from 170 to -170 through the front.
local envelope = require("envelope")
local position_fx = require("position_fx")

local trajectory = {}

local MAX_STEP_DEG = 10 -- between keys: great circles then stay within 0.1 degree of what was drawn
local MAX_RATIO = 1.2 -- of distances between keys: those go in proportion, envelopes in metres

local function nothing() end

-- Returns how far the values of a row are off the straight line from one row to another, in tolerances.
local function deviation(row, first, last, tolerances)
  local part = (row.t - first.t) / (last.t - first.t)
  local worst = 0
  for index = 1, 3 do
    local tolerance = index == 3 and tolerances[3] * row[3] or tolerances[index]
    local straight = first[index] + part * (last[index] - first[index])
    worst = math.max(worst, math.abs(row[index] - straight) / tolerance)
  end
  return worst
end

-- Keeps the rows that are needed to come within the tolerances (Ramer, Douglas and Peucker).
-- tolerances: of azimuth [deg], of elevation [deg], of distance as a fraction of it.
function trajectory.thin(rows, tolerances, breathe)
  breathe = breathe or nothing
  local keep, stack, start = {}, {}, 1
  for index = 2, #rows + 1 do
    if index > #rows or rows[index].jump then
      keep[start], keep[index - 1] = true, true
      stack[#stack + 1] = { start, index - 1 }
      start = index
    end
  end
  while #stack > 0 do
    local first, last = table.unpack(table.remove(stack))
    local worst, at = 1, nil
    for index = first + 1, last - 1 do
      local off = deviation(rows[index], rows[first], rows[last], tolerances)
      if off > worst then worst, at = off, index end
      if index % 64 == 0 then breathe() end
    end
    if at then
      keep[at] = true
      stack[#stack + 1] = { first, at }
      stack[#stack + 1] = { at, last }
    end
    breathe()
  end
  local thinned = {}
  for index, row in ipairs(rows) do
    if keep[index] then thinned[#thinned + 1] = row end
  end
  return thinned
end

-- Returns where between two rows keys are needed, as rising parts of the way.
local function parts_between(before, row)
  local parts = {}
  local steps = math.max(math.abs(row[1] - before[1]), math.abs(row[2] - before[2])) / MAX_STEP_DEG
  local n = math.ceil(steps - 1e-9)
  for step = 1, n - 1 do parts[step] = step / n end
  local ratio = row[3] / before[3]
  n = math.ceil(math.abs(math.log(ratio)) / math.log(MAX_RATIO) - 1e-9)
  for step = 1, n - 1 do parts[#parts + 1] = (ratio ^ (step / n) - 1) / (ratio - 1) end
  table.sort(parts)
  return parts
end

-- Turns rows into keys, with more in between where the way from one to the next could be misread.
function trajectory.keys(rows, breathe)
  breathe = breathe or nothing
  local keys = {}
  local function add(t, azimuth, elevation, distance, cut)
    keys[#keys + 1] = { t_s = t, azimuth_deg = azimuth, elevation_deg = elevation, distance_m = distance, cut = cut }
  end
  for index, row in ipairs(rows) do
    local before = rows[index - 1]
    if before and not row.jump then
      for _, part in ipairs(parts_between(before, row)) do
        local function between(column) return before[column] + part * (row[column] - before[column]) end
        local t = before.t + part * (row.t - before.t)
        if t - keys[#keys].t_s > 1e-7 then add(t, between(1), between(2), between(3), false) end
      end
    end
    add(row.t, row[1], row[2], row[3], index > 1 and row.jump or false)
    breathe()
  end
  return keys
end

local function all_equal(rows)
  for index = 2, #rows do
    for column = 1, 3 do
      if rows[index][column] ~= rows[1][column] then return false end
    end
  end
  return true
end

-- Returns the keys that the position effect says for an item.
-- from_s, to_s: of the item, in the time of the effect's envelopes; speed: that time per second of the item.
function trajectory.from_fx(place, from_s, to_s, speed, breathe)
  breathe = breathe or nothing
  local curves = {}
  for parameter = 1, 3 do curves[parameter] = position_fx.curve(place, parameter) end
  local rows = envelope.rows(curves, from_s, to_s, breathe)
  if all_equal(rows) then rows = { rows[1] } end
  for _, row in ipairs(rows) do row.t = row.t / speed end
  return trajectory.keys(trajectory.thin(rows, { 0.02, 0.02, 0.001 }, breathe), breathe)
end

-- Returns the keys of what was typed: from one place to another while the item lasts, or one place.
-- pass: { azimuth, elevation, distance, to_azimuth, to_elevation, to_distance }.
function trajectory.from_pass(pass, length_s)
  local rows = {
    { t = 0, pass.azimuth, pass.elevation, pass.distance },
    { t = length_s, pass.to_azimuth, pass.to_elevation, pass.to_distance },
  }
  if all_equal(rows) then rows[2] = nil end
  return trajectory.keys(rows)
end

-- Returns rows of a source that was found in a video, azimuths unwrapped, for each of the three parameters: those
-- that a person needs to edit it.
function trajectory.points(keys, breathe)
  local rows, azimuth = {}, nil
  for index, key in ipairs(keys) do
    local turn = azimuth and (key.azimuth_deg - azimuth + 180) % 360 - 180 or 0
    azimuth = azimuth and azimuth + turn or key.azimuth_deg
    rows[index] = { t = key.t_s, azimuth, key.elevation_deg, key.distance_m, jump = index > 1 and key.cut or false }
  end
  local limit = position_fx.RANGES[1][2]
  for _, row in ipairs(rows) do
    row[1] = math.max(-limit, math.min(limit, row[1])) -- three turns one way are as far as the effect goes
  end
  local each = {}
  for parameter, tolerance in ipairs({ 0.5, 0.5, 0.02 }) do
    local tolerances = { math.huge, math.huge, math.huge }
    tolerances[parameter] = tolerance
    each[parameter] = trajectory.thin(rows, tolerances, breathe)
  end
  return each
end

return trajectory
