-- "Spatialize selected items" and "Re-render changed".
local collect = require("collect")
local marks = require("marks")
local place = require("place")
local project_facts = require("project")
local render = require("render")
local ways = require("ways")

local spatialize = {}

-- Returns the records of items that can be rendered; of the others the report says why not.
local function read(session, items, values)
  local rate_hz = project_facts.rate_hz(session.project)
  local records = {}
  for index, item in ipairs(items) do
    local record = session:with_item(item, function(breathe)
      return collect.item(item, rate_hz, values, breathe)
    end)
    if not record then
      session.report:problem(nil, "an item was deleted while it was read")
    elseif record.refused then
      session.report:problem(record.name, record.refused)
    else
      records[#records + 1] = record
    end
    session.window:tell("Reading items", index / #items)
    session.breathe()
  end
  return records, rate_hz
end

-- Renders the selected items and places the results on child tracks.
function spatialize.selected(session)
  local items = collect.selected(session.project)
  if #items == 0 then return session:say("Select the items that shall be placed in space first.") end
  local values = session:settings()
  if not values then return end
  local records, rate_hz = read(session, items, values)
  if #records == 0 then return session.report:show("Nothing can be rendered.") end
  records = ways.find(session, records, values.hfov_deg, false)
  if not records then return end
  render.hash(records, rate_hz, values, session.breathe)
  render.run(session, "Spatialize", records, {}, values)
end

-- Returns the items that were rendered before. A copy carries the mark of its original, but not its GUID.
local function rendered_before(session)
  local items = {}
  for index = 0, reaper.CountMediaItems(session.project) - 1 do
    local item = reaper.GetMediaItem(session.project, index)
    local mark = item and marks.of_item(item)
    if mark and mark.hash and mark.guid == marks.guid(item) then items[#items + 1] = item end
    session.breathe()
  end
  return items
end

-- Returns a move if a record's result should follow its item: it lies still where it was put, and the item does not.
local function move_of(record, old)
  local is_at = reaper.GetMediaItemInfo_Value(old.item, "D_POSITION")
  local put_at = old.mark.position or is_at
  if math.abs(is_at - put_at) < 1e-6 and math.abs(record.position_s - put_at) > 1e-6 then
    return { guid = record.guid, position_s = record.position_s }
  end
end

-- Renders again those items that would now sound otherwise than their results.
function spatialize.changed(session)
  local values = session:settings()
  if not values then return end
  local items = rendered_before(session)
  if #items == 0 then
    return session:say("No item of this project was rendered by FoleySpace yet. Run «FoleySpace: Spatialize "
      .. "selected items» first.")
  end
  local records, rate_hz = read(session, items, values)
  records = ways.find(session, records, values.hfov_deg, true)
  if not records then return end
  render.hash(records, rate_hz, values, session.breathe)
  local survey = place.survey(session.project, session.breathe)
  local changed, moves = {}, {}
  for _, record in ipairs(records) do
    local old = survey.results[record.guid]
    local is_there = old and reaper.ValidatePtr2(session.project, old.item, "MediaItem*")
    if not is_there or record.hash ~= record.mark.hash then
      changed[#changed + 1] = record
    else
      moves[#moves + 1] = move_of(record, old)
    end
  end
  if #changed + #moves == 0 then
    session.report:show("Nothing was changed.")
    if #session.report.problems == 0 then
      session:say(#records == 1 and "The result is up to date." or ("All %d results are up to date."):format(#records))
    end
    return
  end
  render.run(session, "Re-render", changed, moves, values)
end

return spatialize
