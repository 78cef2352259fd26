-- "Generate foley for time selection": a sound from words, fitted to the video there if there is one, or as loud as it
-- was drawn. A selected item that was made so is made anew, as its loudness is drawn by now.
local ask = require("ask")
local collect = require("collect")
local json = require("json")
local loudness = require("loudness")
local marks = require("marks")
local place = require("place")
local project_facts = require("project")
local settings = require("settings")
local video = require("video")

local generate = {}

local LEAST_S = 0.01

-- Returns the item among the selected ones that was generated before, with its mark; a sentence if there are several.
local function made_before(project)
  local found, mark
  for _, item in ipairs(collect.selected(project)) do
    local take = reaper.GetActiveTake(item)
    local one = take and marks.of_take(take)
    if one and one.prompt then
      if found then return nil, nil, "Select one generated item at a time to make it anew." end
      found, mark = item, one
    end
  end
  return found, mark
end

-- Returns what a selected item that was generated before asks for.
local function wish_again(session, item, mark)
  local take = reaper.GetActiveTake(item)
  if math.abs(reaper.GetMediaItemTakeInfo_Value(take, "D_PLAYRATE") - 1) > 1e-9 then
    return nil, "The item is played at another rate; set its rate to 1, and it can be made anew."
  end
  local from = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
  local length = reaper.GetMediaItemInfo_Value(item, "D_LENGTH")
  local tail = type(mark.tail) == "number" and mark.tail or 0
  length = math.max(length - tail, math.min(length, LEAST_S))
  local points = session:with_item(item, function(breathe)
    return loudness.of_take(take, length, breathe)
      or loudness.of_track(reaper.GetMediaItem_Track(item), from, from + length, breathe)
  end)
  return { item = item, from = from, to = from + length, proposal = mark.prompt, points = points }
end

-- Returns what is to be made, or nil and a sentence.
local function wish(session)
  local item, mark, why = made_before(session.project)
  if why then return nil, why end
  local found
  if item then
    found, why = wish_again(session, item, mark)
    if not found then return nil, why end
  else
    local from, to = reaper.GetSet_LoopTimeRange2(session.project, false, false, 0, 0, false)
    local track = reaper.GetSelectedTrack(session.project, 0)
    found = { from = from, to = to, points = to > from and loudness.of_track(track, from, to, session.breathe) or nil }
  end
  found.rate_hz = project_facts.rate_hz(session.project)
  found.n_samples = collect.n_samples(found.from, found.to - found.from, found.rate_hz)
  if found.n_samples < 1 then
    return nil, "Make a time selection first: it says when the sound begins and how long it lasts."
  end
  return found
end

local function request_of(session, wanted, values, folder)
  local item = {
    id = reaper.genGuid(""), name = wanted.prompt, prompt = wanted.prompt, seed = values.seed,
    position_s = wanted.from, length_s = wanted.to - wanted.from, n_samples = wanted.n_samples,
    channels = "mono", envelope = wanted.points,
  }
  local shown = video.beside(video.all(session.project, session.breathe), wanted.from, wanted.to)
  if shown then
    local part = video.part(shown, wanted.from, wanted.to)
    part.hfov_deg = values.hfov_deg
    item.trajectory = { video = part }
  end
  local asked = settings.request(values)
  asked.engine = values.engine ~= "usual" and values.engine or nil
  return {
    kind = "generate", project_rate_hz = wanted.rate_hz, profile = values.profile,
    settings = asked, output_folder = folder, items = { item },
  }
end

local function points_of(answer)
  local points = {}
  for _, point in ipairs(type(answer.envelope) == "table" and answer.envelope ~= json.NULL and answer.envelope or {}) do
    points[#points + 1] = { point[1], point[2] }
  end
  return points
end

local function place_sound(session, answer, wanted, tail)
  local output = answer.outputs[1]
  local source, why = place.open(output.path, session.rest)
  if not source then return false, why end
  local result = {
    source = source, name = wanted.prompt, n_channels = output.n_channels, position_s = wanted.from,
    length_s = output.n_samples / output.rate_hz, points = points_of(answer),
    mark = marks.encode({ prompt = wanted.prompt, tail = tail }),
  }
  local title = "FoleySpace: Generate foley"
  local ok
  if wanted.item then
    ok, why = place.foley_again(session.project, title, wanted.item, result)
  else
    local survey
    ok, survey = pcall(place.survey, session.project, session.rest)
    if not ok then
      place.discard({ result })
      return false, tostring(survey)
    end
    ok, why = place.foley(session.project, title, survey, result)
  end
  place.discard({ result })
  if ok then
    session:used(output.path)
    if result.note then session.report:note(wanted.prompt, result.note) end
  end
  return ok, why
end

function generate.selection(session)
  local wanted, why = wish(session)
  if not wanted then return session:say(why) end
  local values = session:settings()
  if not values then return end
  wanted.prompt = ask.prompt(wanted.to - wanted.from, wanted.proposal, wanted.points ~= nil)
  if not wanted.prompt then return end
  local folder
  folder, why = project_facts.output_folder(session.project)
  if not folder then return session:say(why) end
  local request = request_of(session, wanted, values, folder)
  if not session:open_job() then return end
  local response
  response, why = session:answer(request)
  if not response then
    if why then session:say(why) end
    return
  end
  local id = request.items[1].id
  local answer = session:read(response, { [id] = wanted.prompt })[id]
  if not project_facts.is_open(session.project) then
    return session:say("The project was closed meanwhile; nothing was placed.")
  end
  if answer and answer.ok and answer.outputs and answer.outputs[1] then
    local ok
    ok, why = place_sound(session, answer, wanted, values.tail_s)
    if not ok then
      session.report:problem(wanted.prompt, ("it could not be placed, and the project is as it was: %s"):format(why))
    end
  end
  session.report:show(#session.report.problems == 0 and "The sound was placed." or "Nothing was placed.")
end

return generate
