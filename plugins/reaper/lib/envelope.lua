-- Reading envelopes: as straight lines between points, however they were drawn.
local envelope = {}

local CURVED_STEP_S = 0.005 -- between samples of what is not straight
local MOST_OF_CURVE = 512 -- samples from one point to the next: however long it is, a curve is smooth
local MOST_OF_ITEMS = 20000 -- samples where automation items lie over an envelope
local JUMP_S = 1e-4 -- how long before a jump the value before it is still given

local SQUARE, STRAIGHT = 1, 0

-- Returns what the head of an envelope says: whether it is active, and the range of its values if it belongs to a
-- parameter of an effect (nil, nil if not). Ranges differ: 0 to 1 for plug-ins, the slider's own for JSFX.
function envelope.head(env)
  local ok, chunk = reaper.GetEnvelopeStateChunk(env, "", false)
  if not ok then return true end
  local low, high = chunk:match("^%s*<PARMENV%s+%S+%s+(%S+)%s+(%S+)")
  return chunk:match("\n%s*ACT%s+(%d)") ~= "0", tonumber(low), tonumber(high)
end

-- Returns a take's own envelope of a kind, VOLENV, PANENV, MUTEENV or PITCHENV, if it is drawn and active, else nil.
-- Their names are translated with REAPER; the words of the project file are not.
function envelope.of_take(take, kind)
  for index = 0, reaper.CountTakeEnvelopes(take) - 1 do
    local env = reaper.GetTakeEnvelope(take, index)
    local ok, chunk = reaper.GetEnvelopeStateChunk(env, "", false)
    if ok and chunk:match("^%s*<(%u+)") == kind then return envelope.usable(env) end
  end
end

-- Returns whether there is anything drawn in it; REAPER may hold envelopes without a point.
function envelope.drawn(env)
  return env ~= nil and (reaper.CountEnvelopePoints(env) > 0 or reaper.CountAutomationItems(env) > 0)
end

-- Returns an envelope if it is there, drawn and active, else nil.
function envelope.usable(env)
  if env and envelope.drawn(env) and envelope.head(env) then return env end
end

local function every(from, to, most, add)
  local n = math.min(most, math.ceil((to - from) / CURVED_STEP_S))
  for index = 1, n - 1 do add(from + (to - from) * index / n) end
end

-- Adds the times at which an envelope bends, and marks those at which it jumps.
local function add_times(curve, from, to, add, breathe)
  local env = curve.env
  if reaper.CountAutomationItems(env) > 0 then -- they have points of their own: sampled evenly
    every(from, to, MOST_OF_ITEMS, add)
    return
  end
  local count = reaper.CountEnvelopePoints(env)
  for index = math.max(0, reaper.GetEnvelopePointByTime(env, from)), count - 2 do
    local _, start, _, shape = reaper.GetEnvelopePoint(env, index)
    local _, stop = reaper.GetEnvelopePoint(env, index + 1)
    if start >= to then break end
    local jumps = shape == SQUARE or stop - start < 1e-9
    if not jumps and (shape ~= STRAIGHT or curve.bent) then
      every(math.max(start, from), math.min(stop, to), MOST_OF_CURVE, add)
    end
    if stop > from and stop < to then add(stop, jumps) end
    breathe()
  end
end

local function value_at(curve, time)
  if not curve.env then return curve.value end
  local _, value = reaper.Envelope_Evaluate(curve.env, time, 0, 0)
  return curve.scale and curve.scale(value) or value
end

-- Samples curves together so that straight lines between the rows give them back.
--
-- curves: list of { env = envelope or nil, value = what it is without an envelope, scale = function of a raw value
-- or nil, bent = whether the scale bends straight lines }. from, to: in the envelopes' own time [s].
-- Returns rows { t, values ..., jump = whether it jumps there from the row before }, by rising t from 0.
function envelope.rows(curves, from, to, breathe)
  local times, jumps = {}, {}
  local function add(time, jump)
    if jumps[time] == nil then times[#times + 1] = time end
    jumps[time] = jumps[time] or jump or false
  end
  add(from)
  for _, curve in ipairs(curves) do
    if curve.env then add_times(curve, from, to, add, breathe) end
  end
  add(to)
  table.sort(times)
  local rows = {}
  local function row(time, at, jump)
    local values = { t = time - from, jump = jump }
    for index, curve in ipairs(curves) do values[index] = value_at(curve, at) end
    rows[#rows + 1] = values
    breathe()
  end
  for _, time in ipairs(times) do
    local since = #rows > 0 and time - from - rows[#rows].t or math.huge
    if jumps[time] then
      if since > 2 * JUMP_S then row(time - JUMP_S, time - JUMP_S, false) end
      row(time, time + 1e-6, true) -- of two points at one time, the later counts
    elseif since > 1e-7 then
      row(time, time, false)
    end
  end
  return rows
end

-- Returns a scale for the values of an envelope of levels, which may be drawn as the fader moves, and whether it bends.
function envelope.level_scale(env)
  local mode = reaper.GetEnvelopeScalingMode(env)
  if mode == 0 then return nil, false end
  return function(value) return reaper.ScaleFromEnvelopeMode(mode, value) end, true
end

return envelope
