-- Questions to the user, with the answers of the last time as a proposal.
local ask = {}

local SECTION = "FoleySpace"

local function remembered(key, default)
  local text = reaper.GetExtState(SECTION, key)
  return text ~= "" and text or default
end

local function remember(key, text)
  reaper.SetExtState(SECTION, key, text, true)
end

-- Returns the number that a text says, with a comma or a point, or nil.
function ask.number(text)
  local plain = text:gsub("%s", ""):gsub("\u{2212}", "-"):gsub(",", ".")
  local value = plain:match("^[+-]?%d*%.?%d*$") and tonumber((plain:gsub("^%+", "")))
  return value
end

-- Shows a window with a field for each caption, which hold the texts at first. Returns the texts, or nil.
function ask.fields(title, captions, texts)
  local names = {}
  for index, caption in ipairs(captions) do names[index] = (caption:gsub(",", ";")) end
  local values = {}
  for index, text in ipairs(texts) do values[index] = (text:gsub("[\r\n]", " ")) end
  -- a separator that nobody can type: commas are part of answers
  local ok, answer = reaper.GetUserInputs(
    title, #captions, table.concat(names, ",") .. ",extrawidth=160,separator=\n", table.concat(values, "\n"))
  if not ok then return nil end
  local answers = {}
  for text in (answer .. "\n"):gmatch("([^\n]*)\n") do answers[#answers + 1] = (text:match("^%s*(.-)%s*$")) end
  for index = #answers + 1, #captions do answers[index] = "" end
  return answers
end

local PASS = {
  { "azimuth", "Azimuth at the start (left is +)", "45", -1080, 1080 },
  { "to_azimuth", "Azimuth at the end", "-45", -1080, 1080 },
  { "elevation", "Elevation at the start (up is +)", "0", -90, 90 },
  { "to_elevation", "Elevation at the end", "0", -90, 90 },
  { "distance", "Distance at the start (m)", "2", 0.3, 50 },
  { "to_distance", "Distance at the end (m)", "2", 0.3, 50 },
}

-- Asks from where to where sounds go. Returns { azimuth, elevation, distance, to_azimuth ... }, or nil.
function ask.pass(n_items)
  local captions, texts = {}, {}
  for index, field in ipairs(PASS) do
    captions[index] = field[2]
    texts[index] = remembered("ask_" .. field[1], field[3])
  end
  local what = n_items == 1 and "the item" or ("%d items"):format(n_items)
  while true do
    local answers = ask.fields(("Where does the sound of %s come from?"):format(what), captions, texts)
    if not answers then return nil end
    local pass, problem = {}, nil
    for index, field in ipairs(PASS) do
      local value = ask.number(answers[index])
      if not value then
        problem = problem or ("«%s»: %q is not a number."):format(field[2], answers[index])
      elseif value < field[4] or value > field[5] then
        problem = problem or ("«%s»: give %g to %g."):format(field[2], field[4], field[5])
      end
      pass[field[1]] = value
    end
    if not problem then
      for index, field in ipairs(PASS) do remember("ask_" .. field[1], answers[index]) end
      return pass
    end
    reaper.MB(problem, "FoleySpace", 0)
    texts = answers
  end
end

-- Asks what to follow in a video. Returns a text, empty for whatever stands out, or nil.
function ask.label(video_name)
  local answers = ask.fields(("What makes the sound in «%s»?"):format(video_name),
    { "For example car or dog (empty: what stands out)" }, { remembered("ask_label", "") })
  if not answers then return nil end
  remember("ask_label", answers[1])
  return answers[1]
end

-- Asks what foley shall sound like. proposal: that of the last time if nil; is_drawn: whether its loudness is.
-- Returns a text that is not empty, or nil.
function ask.prompt(duration_s, proposal, is_drawn)
  local title = "What shall be heard for %.1f s" .. (is_drawn and ", as loud as it is drawn?" or "?")
  local answers = ask.fields(title:format(duration_s),
    { "For example footsteps on gravel" }, { proposal or remembered("ask_prompt", "") })
  if not answers then return nil end
  if answers[1] == "" then
    reaper.MB("Say in a few words what shall be heard.", "FoleySpace", 0)
    return ask.prompt(duration_s, proposal, is_drawn)
  end
  remember("ask_prompt", answers[1])
  return answers[1]
end

return ask
