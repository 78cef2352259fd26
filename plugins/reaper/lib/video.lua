-- Video items: which of them can be looked at, and which one plays beside an item.
local source = require("source")

local video = {}

-- Returns a video item as a record, a sentence if it cannot be localized, or nil if it is none.
function video.describe(item)
  local take = reaper.GetActiveTake(item)
  local about = take and source.describe(take)
  if not about or not source.is_video(about) then return nil end
  local settings = source.settings(item, take)
  local _, name = reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", "", false)
  local found = {
    item = item,
    name = name,
    path = about.path,
    position_s = reaper.GetMediaItemInfo_Value(item, "D_POSITION"),
    length_s = reaper.GetMediaItemInfo_Value(item, "D_LENGTH"),
    start_s = settings.start_s,
    rate = settings.rate,
    muted = reaper.GetMediaItemInfo_Value(item, "B_MUTE") ~= 0,
  }
  if not reaper.file_exists(about.path) then return found, "its file is missing: " .. about.path end
  local bent = about.is_section and "is reversed or a section" or #settings.stretch > 0 and "has stretch markers"
  if bent then return found, ("it %s: its picture cannot be matched to the timeline"):format(bent) end
  if found.rate <= 0 or found.start_s < 0 then return found, "it starts before its file does" end
  local shown_s = ((about.length_s or math.huge) - found.start_s) / found.rate
  if shown_s <= 0 then return found, "it shows nothing of its file" end
  found.length_s = math.min(found.length_s, shown_s) -- no second round of what is looped
  return found
end

-- Returns all video items of a project that can be looked at.
function video.all(project, breathe)
  local found = {}
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    if item then
      local record, refusal = video.describe(item)
      if record and not refusal then found[#found + 1] = record end
    end
    breathe()
  end
  return found
end

-- Returns the part of a video that is shown between two times of the project, for a request: at_s counts from from_s.
function video.part(record, from_s, to_s)
  local start = math.max(from_s, record.position_s)
  local stop = math.min(to_s, record.position_s + record.length_s)
  return {
    path = record.path,
    start_s = record.start_s + (start - record.position_s) * record.rate,
    duration_s = (stop - start) * record.rate,
    at_s = start - from_s,
    rate = record.rate,
  }
end

-- Returns the video that overlaps most with a time of the project, or nil. Muted ones count as well: their picture
-- is what matters, and many mute the sound that way.
function video.beside(videos, from_s, to_s)
  local best, longest = nil, 1e-3
  for _, record in ipairs(videos) do
    local overlap = math.min(to_s, record.position_s + record.length_s) - math.max(from_s, record.position_s)
    if overlap > longest + 1e-9 then best, longest = record, overlap end
  end
  return best
end

return video
