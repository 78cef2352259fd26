-- Takes the sound of a take out of REAPER into a WAV file of floats, a piece at a time so that REAPER stays alive.
local wav = {}

local BLOCK = 4096 -- samples of each channel at a time
local GROUP = 128 -- numbers packed in one call
local MAX_BYTES = 0xFFFFFF00 - 4096 -- what the header of a WAV file can say

local function header(n_channels, rate_hz, n_samples)
  local n_bytes = n_samples * n_channels * 4
  return table.concat({
    "RIFF", ("<I4"):pack(4 + 26 + 12 + 8 + n_bytes), "WAVE",
    "fmt ", ("<I4I2I2I4I4I2I2I2"):pack(18, 3, n_channels, rate_hz, rate_hz * n_channels * 4, n_channels * 4, 32, 0),
    "fact", ("<I4I4"):pack(4, n_samples),
    "data", ("<I4"):pack(n_bytes),
  })
end

-- Returns interleaved numbers as bytes; of each frame, the first `kept` of n_channels numbers.
local function packed(numbers, n_channels, kept)
  if kept < n_channels then
    local some = {}
    for first = 1, #numbers, n_channels do
      for channel = 0, kept - 1 do some[#some + 1] = numbers[first + channel] end
    end
    numbers = some
  end
  local parts, whole = {}, "<" .. ("f"):rep(GROUP)
  for first = 1, #numbers, GROUP do
    local last = math.min(first + GROUP - 1, #numbers)
    local layout = last - first + 1 == GROUP and whole or "<" .. ("f"):rep(last - first + 1)
    parts[#parts + 1] = layout:pack(table.unpack(numbers, first, last))
  end
  return table.concat(parts)
end

local function write_blocks(file, accessor, shape, breathe, on_progress)
  local buffer = reaper.new_array(BLOCK * shape.n_channels)
  for start = 0, shape.n_samples - 1, BLOCK do
    local n = math.min(BLOCK, shape.n_samples - start)
    buffer.clear()
    local got = reaper.GetAudioAccessorSamples(
      accessor, shape.rate_hz, shape.n_channels, start / shape.rate_hz, n, buffer)
    if got < 0 then return false, "REAPER could not read its sound" end
    local bytes
    if got == 0 then -- silence
      bytes = ("\0"):rep(4 * n * shape.sounding)
    else
      bytes = packed(buffer.table(1, n * shape.n_channels), shape.n_channels, shape.sounding)
    end
    local ok, why = file:write(bytes)
    if not ok then return false, "its sound could not be written: " .. tostring(why) end
    on_progress((start + n) / shape.n_samples)
    breathe()
    if shape.still_there and not shape.still_there() then return false, "it was deleted while it was read" end
  end
  return true
end

local open -- what is being written: { file, path, accessor }

local function close()
  local this = open
  open = nil
  if this.accessor then reaper.DestroyAudioAccessor(this.accessor) end
  return this.file:close()
end

-- Lets go of what is being written when the script is ended from outside.
function wav.abandon()
  if not open then return end
  local path = open.path
  close()
  os.remove(path)
end

-- Writes what a take sounds like while its item lasts; time 0 of a take's accessor is the start of its item.
--
-- shape: { n_channels = as of its source, sounding = how many of them hold sound, rate_hz, n_samples,
-- still_there = function or nil }. Returns whether, and if not a sentence; then there is no file.
function wav.from_take(take, path, shape, breathe, on_progress)
  if shape.n_samples * shape.sounding * 4 > MAX_BYTES then return false, "it is too long for a WAV file: split it" end
  local hidden = path .. ".part"
  local file, why = io.open(hidden, "wb")
  if not file then return false, "its sound could not be written: " .. tostring(why) end
  local accessor = reaper.CreateTakeAudioAccessor(take)
  open = { file = file, path = hidden, accessor = accessor }
  local ok = accessor ~= nil
  why = "REAPER gives no access to its sound"
  if ok then
    file:write(header(shape.sounding, shape.rate_hz, shape.n_samples))
    local ran
    ran, ok, why = xpcall(write_blocks, debug.traceback, file, accessor, shape, breathe, on_progress)
    if not ran then
      wav.abandon()
      error(ok, 0)
    end
  end
  if not close() and ok then ok, why = false, "its sound could not be written: the disk may be full" end
  if ok then ok, why = os.rename(hidden, path) end
  if not ok then os.remove(hidden) end
  return ok and true or false, why
end

return wav
