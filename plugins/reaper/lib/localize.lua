-- "Localize video item": what is found in the picture becomes automation that the user can edit.
local ask = require("ask")
local collect = require("collect")
local marks = require("marks")
local place = require("place")
local project_facts = require("project")
local trajectory = require("trajectory")
local video = require("video")

local localize = {}

local MOST = 8 -- sources of one video: more tracks are no help

-- Returns the videos that are meant: the selected ones, or the only one that the project has.
local function meant(session)
  local selected = collect.selected(session.project)
  local found = {}
  for _, item in ipairs(selected) do
    local record, refusal = video.describe(item)
    if refusal then
      session.report:problem(record.name, refusal)
    elseif record then
      found[#found + 1] = record
    end
  end
  if #found == 0 and #session.report.problems == 0 then
    local all = video.all(session.project, session.breathe)
    if #all == 1 then return all end
  end
  return found
end

local function request_of(session, videos, label, values)
  local items, names = {}, {}
  for index, record in ipairs(videos) do
    local part = video.part(record, record.position_s, record.position_s + record.length_s)
    part.label = label ~= "" and label or nil
    part.hfov_deg = values.hfov_deg
    record.guid = marks.guid(record.item)
    names[record.guid] = record.name
    items[index] = { id = record.guid, name = record.name, position_s = record.position_s,
      length_s = record.length_s, trajectory = { video = part } }
  end
  return {
    kind = "localize", project_rate_hz = project_facts.rate_hz(session.project), profile = values.profile,
    items = items,
  }, names
end

-- Returns what place.positions needs of one video: its surest sources, first those that were chosen to sound.
local function tracks_of(session, record, found)
  local sources = {}
  for _, source in ipairs(found) do
    if #(source.keys or {}) > 0 then sources[#sources + 1] = source end
  end
  local order = {}
  for index, source in ipairs(sources) do order[source] = index end
  table.sort(sources, function(a, b)
    if (a.selected == true) ~= (b.selected == true) then return a.selected == true end
    if (a.score or 0) ~= (b.score or 0) then return (a.score or 0) > (b.score or 0) end
    return order[a] < order[b]
  end)
  if #sources > MOST then
    session.report:note(record.name, ("%d things were found in it; the %d surest have tracks"):format(#sources, MOST))
  end
  local tracks, used = {}, {}
  for index = 1, math.min(MOST, #sources) do
    local label = sources[index].label or sources[index].id or "source"
    used[label] = (used[label] or 0) + 1
    local name = used[label] > 1 and ("%s %d"):format(label, used[label]) or label
    tracks[index] = { name = "FoleySpace: " .. name, label = label, start_s = record.position_s,
      rows = trajectory.points(sources[index].keys, session.breathe) }
  end
  return tracks
end

-- Where a video that was moved meanwhile is now.
local function follow(session, record)
  if not reaper.ValidatePtr2(session.project, record.item, "MediaItem*") then
    session.report:note(record.name, "it was deleted meanwhile; its automation is where it was")
    return
  end
  local position_s = reaper.GetMediaItemInfo_Value(record.item, "D_POSITION")
  if math.abs(position_s - record.position_s) > 1e-6 then
    session.report:note(record.name, "it was moved meanwhile; its automation is where it is now")
    record.position_s = position_s
  end
end

function localize.videos(session)
  local values = session:settings()
  if not values then return end
  local videos = meant(session)
  if #videos == 0 then
    if #session.report.problems > 0 then return session.report:show("Nothing can be localized.") end
    return session:say("Select a video item first.")
  end
  local label = ask.label(videos[1].name)
  if not label or not session:open_job() then return end
  local request, names = request_of(session, videos, label, values)
  local response, why = session:answer(request)
  if not response then
    if why then
      session.report:problem(nil, why)
      session.report:show("Nothing was changed.")
    end
    return
  end
  local answers = session:read(response, names)
  if not project_facts.is_open(session.project) then
    return session:say("The project was closed meanwhile; nothing was changed.")
  end
  local tracks = {}
  for _, record in ipairs(videos) do
    local answer = answers[record.guid]
    if answer and answer.ok and answer.trajectory then
      follow(session, record)
      for _, track in ipairs(tracks_of(session, record, answer.trajectory.sources or {})) do
        tracks[#tracks + 1] = track
      end
    end
  end
  if #tracks == 0 then
    if #session.report.problems == 0 then session.report:problem(nil, "nothing was found in the picture") end
    return session.report:show("Nothing was changed.")
  end
  local ok
  ok, why = place.positions(session.project, ("FoleySpace: Localize %s"):format(videos[1].name), tracks)
  if not ok then
    session.report:problem(nil, ("the automation could not be written, and the project is as it was: %s"):format(why))
    return session.report:show("Nothing was changed.")
  end
  session.report:note(nil, "put sounds onto the new tracks, edit the automation as you like, and run «Spatialize "
    .. "selected items»")
  session.report:show(("%d tracks with automation."):format(#tracks))
end

return localize
