-- The settings as one plain dialog, where there is no window to draw in.
local ask = require("ask")
local choosing = require("choosing")
local settings = require("settings")

local settings_dialog = {}

local function text_of(field, value)
  if field.flag then return value and "yes" or "no" end
  if field.number then return choosing.shown(field, value) end
  return value
end

local function caption_of(field)
  if field.flag then return field.label .. " (yes or no)" end
  if field.choice and not field.text then
    local words = {}
    for index, option in ipairs(field.choice) do words[index] = option[1] end
    return ("%s (%s)"):format(field.label, table.concat(words, "/"))
  end
  return field.label
end

-- Returns what a text means for a field, or nil and a sentence.
function settings_dialog.read(field, text, capabilities)
  if field.flag then
    local word = text:lower()
    if word == "yes" or word == "no" then return word == "yes" end
    return nil, ("«%s»: say yes or no."):format(field.label)
  elseif field.number then
    local number = ask.number(text)
    if number and number >= field.number[1] and number <= field.number[2] then return settings.valid(field, number) end
    return nil, ("«%s»: give a number from %g to %g."):format(field.label, field.number[1], field.number[2])
  elseif field.choice and not field.text then
    for _, option in ipairs(field.choice) do
      if option[1] == text then
        local why = choosing.lack(option, capabilities)
        if why then return nil, ("%s is not available: %s"):format(option[2], why) end
        return text
      end
    end
    return nil, ("«%s»: %q is none of %s"):format(field.label, text, caption_of(field):match("%((.*)%)"))
  end
  if text == "" and not field.file then return field.default end
  return text
end

-- Asks for all settings. Returns the new ones, or nil.
function settings_dialog.ask(values, capabilities)
  local captions, texts = {}, {}
  for index, field in ipairs(settings.FIELDS) do
    captions[index], texts[index] = caption_of(field), text_of(field, values[field.key])
  end
  while true do
    local answers = ask.fields("FoleySpace: Settings", captions, texts)
    if not answers then return nil end
    local new, problem = {}, nil
    for index, field in ipairs(settings.FIELDS) do
      local value, why = settings_dialog.read(field, answers[index], capabilities)
      new[field.key] = value
      problem = problem or why
    end
    problem = problem or settings.conflict(new)
    if not problem then return new end
    reaper.MB(problem, "FoleySpace: Settings", 0)
    texts = answers
  end
end

return settings_dialog
