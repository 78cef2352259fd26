-- From records with trajectories to results in the project.
local collect = require("collect")
local marks = require("marks")
local place = require("place")
local project_facts = require("project")
local settings = require("settings")
local wav = require("wav")

local render = {}

-- Takes the sound of those items out of REAPER that the host cannot read from a file.
local function read_sounds(session, records, rate_hz)
  local ready = {}
  for index, record in ipairs(records) do
    local ok, why = true, nil
    if record.accessor then
      local function still_there() return reaper.ValidatePtr2(session.project, record.item, "MediaItem*") end
      local name = ("item_%04d.wav"):format(index)
      local take = still_there() and reaper.GetActiveTake(record.item)
      if take then
        ok, why = wav.from_take(take, session:job_file(name), {
          n_channels = record.accessor.n_channels, sounding = record.accessor.sounding, rate_hz = rate_hz,
          n_samples = record.n_samples, still_there = still_there,
        }, session.breathe, function(fraction)
          session.window:tell(("Reading «%s»"):format(record.name), (index - 1 + fraction) / #records)
        end)
      else
        ok, why = false, "it was deleted before it was read"
      end
      record.request.sound = { wav = name }
    end
    if ok then
      ready[#ready + 1] = record
    else
      session.report:problem(record.name, why)
    end
  end
  return ready
end

-- Opens the result files. Adds to results what place.results needs.
local function open_results(session, records, answers, results)
  for _, record in ipairs(records) do
    local answer = answers[record.guid]
    local output = answer and answer.ok and answer.outputs and answer.outputs[1]
    if output then
      local source, why = place.open(output.path, session.rest)
      if source then
        local result = {
          guid = record.guid, name = record.name .. " (FoleySpace)", source = source, path = output.path,
          n_channels = output.n_channels, length_s = output.n_samples / output.rate_hz,
          position_s = record.position_s, record = record,
        }
        result.mark = place.mark(result, record.position_s)
        result.source_mark = marks.encode({ guid = record.guid, hash = record.hash, way = record.way })
        results[#results + 1] = result
      else
        session.report:problem(record.name, why)
      end
      session.rest()
    end
  end
end

local function warn_of_tracks(session, results)
  local seen = {}
  for _, result in ipairs(results) do
    local track = result.is_placed and result.record.track
    if track and not seen[track] and reaper.ValidatePtr2(session.project, track, "MediaTrack*") then
      seen[track] = true
      for _, warning in ipairs(project_facts.warnings(session.project, track, result.n_channels)) do
        session.report:note(nil, warning)
      end
    end
  end
end

local function count(n)
  return n == 1 and "1 item" or ("%d items"):format(n)
end

-- Places what was rendered, and what only moved. Returns how many items have a new result.
local function place_results(session, undo_title, records, answers, moves, values)
  local results, survey = {}, nil
  session.window:tell("Placing the results", nil)
  local ok, why = pcall(function()
    open_results(session, records, answers, results)
    survey = place.survey(session.project, session.rest)
  end)
  if ok and #results + #moves > 0 then
    ok, why = place.results(session.project, undo_title, survey, results, moves, values)
  end
  place.discard(results)
  if not ok then
    session.report:problem(nil, ("the results could not be placed, and the project is as it was: %s"):format(why))
    return 0
  end
  local n = 0
  for _, result in ipairs(results) do
    if result.is_placed then
      n = n + 1
      session:used(result.path)
    end
    if result.note then session.report:note(result.record.name, result.note) end
  end
  warn_of_tracks(session, results)
  return n
end

-- Gives records the marks of what decides their results.
function render.hash(records, rate_hz, values, breathe)
  for _, record in ipairs(records) do
    record.hash = collect.hash(record, rate_hz, settings.request(values), breathe)
    breathe()
  end
end

-- Renders records and places what comes of them. moves: as of place.results. verb: for the undo list.
function render.run(session, verb, records, moves, values)
  local rate_hz = project_facts.rate_hz(session.project)
  local folder, why = project_facts.output_folder(session.project)
  if not folder then return session:say(why) end
  for _, record in ipairs(records) do
    for _, note in ipairs(record.notes) do session.report:note(record.name, note) end
  end
  local answers = {}
  if #records > 0 then
    if not session:open_job() then return end
    records = read_sounds(session, records, rate_hz)
    if #records > 0 then
      local request, names = { items = {} }, {}
      for index, record in ipairs(records) do
        request.items[index] = record.request
        names[record.guid] = record.name
      end
      request.kind = "spatialize"
      request.project_rate_hz, request.profile = rate_hz, values.profile
      request.settings, request.output_folder = settings.request(values), folder
      local response
      response, why = session:answer(request)
      if not response then
        if why then
          session.report:problem(nil, why)
          session.report:show("Nothing was changed.")
        end
        return
      end
      answers = session:read(response, names)
    end
  end
  if not project_facts.is_open(session.project) then
    session.report:problem(nil, "the project was closed while it was rendered; nothing was placed")
    session.report:show("Nothing was changed.")
    return
  end
  local n = place_results(session, ("FoleySpace: %s %s"):format(verb, count(#records + #moves)), records, answers,
    moves, values)
  session.report:show(("%s of %d placed."):format(count(n), #records))
end

return render
