-- Puts results into a project. All edits of FoleySpace are made here, in one undo block each.
local edit = require("edit")
local loudness = require("loudness")
local marks = require("marks")
local position_fx = require("position_fx")

local place = {}

local COLOUR = { 219, 137, 46 } -- of results, and of the tracks they lie on
local SQUARE, LINEAR = 1, 0 -- shapes of envelope points: the line that follows them

local function colour()
  return reaper.ColorToNative(COLOUR[1], COLOUR[2], COLOUR[3]) | 0x1000000
end

-- Opens result files before anything is edited, and builds their peaks, so that the edits themselves take no time.
-- Returns the source, or nil and a sentence.
function place.open(path, breathe)
  local source = reaper.file_exists(path) and reaper.PCM_Source_CreateFromFile(path)
  if not source then return nil, "REAPER cannot open the result " .. path end
  local ok, why = pcall(function()
    if reaper.PCM_Source_BuildPeaks(source, 0) ~= 0 then
      while reaper.PCM_Source_BuildPeaks(source, 1) ~= 0 do breathe() end
      reaper.PCM_Source_BuildPeaks(source, 2)
    end
  end)
  if ok then return source end
  reaper.PCM_Source_Destroy(source)
  error(why, 0)
end

-- Frees opened sources that were not placed.
function place.discard(results)
  for _, result in ipairs(results) do
    if result.source and not result.is_placed then
      reaper.PCM_Source_Destroy(result.source)
      result.source = nil
    end
  end
end

-- Returns what of a project is needed to put results where they belong: items by GUID, results by the GUID of their
-- source item, and child tracks by the GUID of their parent.
function place.survey(project, breathe)
  local found = { items = {}, results = {}, children = {}, foley = {} }
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    if item then
      found.items[marks.guid(item)] = item
      local mark = marks.of_item(item)
      if mark and mark.result_of then found.results[mark.result_of] = { item = item, mark = mark } end
    end
    breathe()
  end
  for index = 0, reaper.CountTracks(project) - 1 do
    local track = reaper.GetTrack(project, index)
    local mark = track and marks.of_track(track)
    if mark and mark.child_of then found.children[mark.child_of] = track end
    if mark and mark.foley then found.foley[#found.foley + 1] = track end
    breathe()
  end
  return found
end

local function is_there(project, pointer, kind)
  return pointer ~= nil and reaper.ValidatePtr2(project, pointer, kind)
end

local function even(n_channels)
  return n_channels + n_channels % 2
end

-- Returns the track for results of a track's items: a child of it, made if it is not there yet.
local function child_track(edits, survey, parent, n_channels)
  if edits.children[parent] then return edits.children[parent] end
  local guid = marks.track_guid(parent)
  local child = survey.children[guid]
  if not is_there(edits.project, child, "MediaTrack*") then
    local depth = math.floor(reaper.GetMediaTrackInfo_Value(parent, "I_FOLDERDEPTH"))
    child = edits:insert_track(math.floor(reaper.GetMediaTrackInfo_Value(parent, "IP_TRACKNUMBER")))
    if depth < 1 then -- the parent becomes a folder; the child closes it, and what the parent closed
      edits:set_track(parent, "I_FOLDERDEPTH", 1)
      edits:set_track(child, "I_FOLDERDEPTH", depth - 1)
    end
    local _, name = reaper.GetTrackName(parent)
    edits:set_track_text(child, "P_NAME", name .. " - FoleySpace")
    edits:set_track_text(child, marks.KEY, marks.encode({ child_of = guid }))
    edits:set_track(child, "I_CUSTOMCOLOR", colour())
    survey.children[guid] = child
  end
  if reaper.GetMediaTrackInfo_Value(child, "I_NCHAN") < n_channels then
    edits:set_track(child, "I_NCHAN", even(n_channels))
  end
  edits.children[parent] = child
  return child
end

local function near(a, b)
  return math.abs(a - b) < 1e-6
end

local function new_item(edits, track, result, position_s)
  local item, take = edits:add_item(track, result.source)
  result.is_placed = true
  local values = { D_POSITION = position_s, D_LENGTH = result.length_s, B_LOOPSRC = 0, D_FADEINLEN = 0,
    D_FADEOUTLEN = 0, I_CUSTOMCOLOR = colour() }
  for name, value in pairs(values) do
    if not reaper.SetMediaItemInfo_Value(item, name, value) then error(name .. " of an item was refused", 0) end
  end
  reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", result.name, true)
  return item
end

-- Puts a new sound into a result that is there already; what the user changed of it stays.
local function renew(edits, old, result, position_s)
  local function value(name) return reaper.GetMediaItemInfo_Value(old.item, name) end
  local take = reaper.GetActiveTake(old.item)
  local mark = old.mark
  local was_trimmed = not near(value("D_LENGTH"), mark.length or -1)
    or not near(reaper.GetMediaItemTakeInfo_Value(take, "D_STARTOFFS"), 0)
  local was_moved = not near(value("D_POSITION"), mark.position or -1)
  edits:exchange_source(take, result.source, function() result.is_placed = false end)
  result.is_placed = true
  if not was_trimmed then edits:set_item(old.item, "D_LENGTH", result.length_s) end
  if not was_moved then edits:set_item(old.item, "D_POSITION", position_s) end
  if was_moved or was_trimmed then result.note = "its result was moved or trimmed by hand; only its sound is new" end
  return old.item
end

local function put_result(edits, survey, result, options)
  local item = survey.items[result.guid]
  if not is_there(edits.project, item, "MediaItem*") then return false end
  local position_s = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
  if not near(position_s, result.position_s) then
    result.note = "it was moved while it was rendered; its result is where it is now"
  end
  local old = survey.results[result.guid]
  local placed
  if old and is_there(edits.project, old.item, "MediaItem*") and reaper.GetActiveTake(old.item) then
    placed = renew(edits, old, result, position_s)
    local track = reaper.GetMediaItem_Track(placed)
    if reaper.GetMediaTrackInfo_Value(track, "I_NCHAN") < result.n_channels then
      edits:set_track(track, "I_NCHAN", even(result.n_channels))
    end
  else
    local parent = reaper.GetMediaItem_Track(item)
    placed = new_item(edits, child_track(edits, survey, parent, result.n_channels), result, position_s)
  end
  local mark = near(position_s, result.position_s) and result.mark or place.mark(result, position_s)
  edits:set_item_mark(placed, mark)
  edits:set_item_mark(item, result.source_mark)
  if options.mute_source then edits:set_item(item, "B_MUTE", 1) end
  return true
end

-- Returns the mark of a result that is placed at a position, as text.
function place.mark(result, position_s)
  return marks.encode({ result_of = result.guid, position = position_s, length = result.length_s })
end

-- Places rendered items beside their sources.
--
-- results: list of { guid, source, name, n_channels, length_s, position_s, mark = place.mark of that position,
-- source_mark = what is remembered on the source item, as text }; each gets is_placed, and a note for the user.
-- moves: list of { guid, position_s } of results that only follow their source. options: { mute_source }.
-- Returns whether, and why not.
function place.results(project, title, survey, results, moves, options)
  return edit.block(project, title, function(edits)
    edits.children = {} -- of the tracks that were met
    for _, result in ipairs(results) do
      if not put_result(edits, survey, result, options) then
        result.note = "it was deleted while it was rendered; its result is not used"
      end
    end
    for _, move in ipairs(moves) do
      local old = survey.results[move.guid]
      if is_there(project, old.item, "MediaItem*") then
        edits:set_item(old.item, "D_POSITION", move.position_s)
        old.mark.position = move.position_s
        edits:set_item_mark(old.item, marks.encode(old.mark))
      end
    end
  end)
end

-- Writes sources that were found in videos as automation, each onto a new track at the end.
--
-- sources: list of { name, label, rows = of each parameter, as of trajectory.points, start_s = time of the project at
-- t 0 }.
function place.positions(project, title, sources)
  return edit.block(project, title, function(edits)
    for _, source in ipairs(sources) do
      local track = edits:insert_track(reaper.CountTracks(project))
      edits:set_track_text(track, "P_NAME", source.name)
      edits:set_track_text(track, marks.KEY, marks.encode({ position_of = source.label }))
      edits:set_track(track, "I_CUSTOMCOLOR", colour())
      local fx = edit.add_fx(track, position_fx)
      for parameter = 1, 3 do
        local env = position_fx.envelope(fx, parameter, true)
        local to_envelope = position_fx.to_envelope(fx, parameter, env)
        local points = {}
        local rows = source.rows[parameter]
        for index, row in ipairs(rows) do
          local next_row = rows[index + 1]
          local shape = next_row and next_row.jump and SQUARE or LINEAR
          points[index] = { source.start_s + row.t, to_envelope(row[parameter]), shape }
        end
        edit.draw(env, points)
      end
    end
  end)
end

local function is_free(track, from_s, to_s)
  for index = 0, reaper.CountTrackMediaItems(track) - 1 do
    local item = reaper.GetTrackMediaItem(track, index)
    local start = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
    if start < to_s and start + reaper.GetMediaItemInfo_Value(item, "D_LENGTH") > from_s then return false end
  end
  return true
end

-- Places a generated sound on a track of its own kind that is free there, or on a new one at the end, and draws its
-- loudness on it.
--
-- result: { source, name, n_channels, position_s, length_s, mark = what is remembered on the take, as text,
-- points = its loudness }; it gets is_placed, and a note for the user.
function place.foley(project, title, survey, result)
  return edit.block(project, title, function(edits)
    local track
    for _, one in ipairs(survey.foley) do
      if not track and is_there(project, one, "MediaTrack*")
        and is_free(one, result.position_s, result.position_s + result.length_s) then track = one end
    end
    if not track then
      track = edits:insert_track(reaper.CountTracks(project))
      edits:set_track_text(track, "P_NAME", "FoleySpace foley")
      edits:set_track_text(track, marks.KEY, marks.encode({ foley = true }))
      edits:set_track(track, "I_CUSTOMCOLOR", colour())
    end
    if reaper.GetMediaTrackInfo_Value(track, "I_NCHAN") < result.n_channels then
      edits:set_track(track, "I_NCHAN", even(result.n_channels))
    end
    local take = reaper.GetActiveTake((new_item(edits, track, result, result.position_s)))
    reaper.GetSetMediaItemTakeInfo_String(take, marks.KEY, result.mark, true)
    result.note = loudness.draw(take, result.points)
  end)
end

-- Puts a new sound into an item that was generated before; its drawn loudness, its place and its fades stay.
function place.foley_again(project, title, item, result)
  return edit.block(project, title, function(edits)
    local take = is_there(project, item, "MediaItem*") and reaper.GetActiveTake(item)
    if not take then error("its item was deleted meanwhile", 0) end
    edits:exchange_source(take, result.source, function() result.is_placed = false end)
    result.is_placed = true
    edits:set_take(take, "D_STARTOFFS", 0)
    edits:set_item(item, "D_LENGTH", result.length_s)
    edits:set_take_text(take, "P_NAME", result.name)
    edits:set_take_text(take, marks.KEY, result.mark)
    local track = reaper.GetMediaItem_Track(item)
    if reaper.GetMediaTrackInfo_Value(track, "I_NCHAN") < result.n_channels then
      edits:set_track(track, "I_NCHAN", even(result.n_channels))
    end
  end)
end

return place
