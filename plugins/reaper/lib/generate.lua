-- "Generate foley for time selection": a sound from words, fitted to the video there if there is one.
local ask = require("ask")
local collect = require("collect")
local place = require("place")
local project_facts = require("project")
local settings = require("settings")
local video = require("video")

local generate = {}

local function request_of(session, selection, prompt, values, folder)
  local item = {
    id = reaper.genGuid(""), name = prompt, prompt = prompt, seed = values.seed,
    position_s = selection.from, length_s = selection.to - selection.from, n_samples = selection.n_samples,
    channels = "mono",
  }
  local shown = video.beside(video.all(session.project, session.breathe), selection.from, selection.to)
  if shown then
    local part = video.part(shown, selection.from, selection.to)
    part.hfov_deg = values.hfov_deg
    item.trajectory = { video = part }
  end
  return {
    kind = "generate", project_rate_hz = selection.rate_hz, profile = values.profile,
    settings = settings.request(values), output_folder = folder, items = { item },
  }
end

local function place_sound(session, output, selection, prompt)
  local source, why = place.open(output.path, session.rest)
  if not source then return false, why end
  local result = {
    source = source, name = prompt, n_channels = output.n_channels, position_s = selection.from,
    length_s = output.n_samples / output.rate_hz,
  }
  local ok, survey = pcall(place.survey, session.project, session.rest)
  if not ok then
    place.discard({ result })
    return false, tostring(survey)
  end
  ok, why = place.foley(session.project, "FoleySpace: Generate foley", survey, result)
  place.discard({ result })
  if ok then session:used(output.path) end
  return ok, why
end

function generate.selection(session)
  local from, to = reaper.GetSet_LoopTimeRange2(session.project, false, false, 0, 0, false)
  local rate_hz = project_facts.rate_hz(session.project)
  local selection = { from = from, to = to, rate_hz = rate_hz, n_samples = collect.n_samples(from, to - from, rate_hz) }
  if selection.n_samples < 1 then
    return session:say("Make a time selection first: it says when the sound begins and how long it lasts.")
  end
  local values = session:settings()
  if not values then return end
  local prompt = ask.prompt(to - from)
  if not prompt then return end
  local folder, why = project_facts.output_folder(session.project)
  if not folder then return session:say(why) end
  local request = request_of(session, selection, prompt, values, folder)
  if not session:open_job() then return end
  local response
  response, why = session:answer(request)
  if not response then
    if why then session:say(why) end
    return
  end
  local answer = session:read(response, { [request.items[1].id] = prompt })[request.items[1].id]
  if not project_facts.is_open(session.project) then
    return session:say("The project was closed meanwhile; nothing was placed.")
  end
  local output = answer and answer.ok and answer.outputs and answer.outputs[1]
  if output then
    local ok
    ok, why = place_sound(session, output, selection, prompt)
    if not ok then
      session.report:problem(prompt, ("it could not be placed, and the project is as it was: %s"):format(why))
    end
  end
  session.report:show(#session.report.problems == 0 and "The sound was placed." or "Nothing was placed.")
end

return generate
