-- What FoleySpace remembers on items and tracks of a project: REAPER saves, copies and undoes it with them.
--
-- On a source item: { guid, hash, way }. On a result: { result_of = guid, position, length, offset }. On a track:
-- { child_of = guid } for results, { position_of = label } for what was localized, { foley = true } for what was made.
-- On the take of what was made: { prompt, tail }.
local json = require("json")

local marks = {}

marks.KEY = "P_EXT:foleyspace"

-- Project files have three kinds of quotation marks, and a text may hold all of them: so it goes without any.
function marks.encode(mark)
  return (json.encode(mark):gsub("[^%w_%-%.:,%[%]{}]", function(character)
    return ("%%%02X"):format(character:byte())
  end))
end

function marks.decode(text)
  local plain = text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
  local mark = json.decode(plain)
  return type(mark) == "table" and mark or nil
end

-- Returns the mark of an item, or nil.
function marks.of_item(item)
  local ok, text = reaper.GetSetMediaItemInfo_String(item, marks.KEY, "", false)
  return ok and text ~= "" and marks.decode(text) or nil
end

-- Returns the mark of a take, or nil.
function marks.of_take(take)
  local ok, text = reaper.GetSetMediaItemTakeInfo_String(take, marks.KEY, "", false)
  return ok and text ~= "" and marks.decode(text) or nil
end

-- Returns the mark of a track, or nil.
function marks.of_track(track)
  local ok, text = reaper.GetSetMediaTrackInfo_String(track, marks.KEY, "", false)
  return ok and text ~= "" and marks.decode(text) or nil
end

-- Returns the GUID of an item as text.
function marks.guid(item)
  local _, guid = reaper.GetSetMediaItemInfo_String(item, "GUID", "", false)
  return guid
end

-- Returns the GUID of a track as text.
function marks.track_guid(track)
  local _, guid = reaper.GetSetMediaTrackInfo_String(track, "GUID", "", false)
  return guid
end

return marks
