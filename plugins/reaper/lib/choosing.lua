-- What a setting can be, what of that this host cannot do and why, and asking the user for another value.
local ask = require("ask")
local settings = require("settings")

local choosing = {}

-- Returns why an option is not available, or nil. capabilities: list of the host's, or nil if they are not known.
function choosing.lack(option, capabilities)
  for _, one in ipairs(option[3] and capabilities or {}) do
    if one.name == option[3] and not one.available then
      return (one.reason or "not available") .. (one.cure and ": " .. one.cure or "")
    end
  end
end

local function option_of(field, value)
  for _, option in ipairs(field.choice or {}) do
    if option[1] == value then return option end
  end
end

-- Returns a value as the user reads it.
function choosing.shown(field, value)
  local option = option_of(field, value)
  if option then return option[2] end
  if field.flag then return value and "yes" or "no" end
  if field.file then return value == "" and field.empty or value:match("[^/\\]+$") or value end
  if field.whole then return ("%d"):format(value) end
  if field.number then return ("%g"):format(value) end
  return value
end

-- Returns sentences about all that is not available here.
function choosing.lacks(capabilities)
  local sentences = {}
  for _, field in ipairs(settings.FIELDS) do
    for _, option in ipairs(field.choice or {}) do
      local why = choosing.lack(option, capabilities)
      if why then sentences[#sentences + 1] = ("%s: %s"):format(option[2], why) end
    end
  end
  return sentences
end

local function plain(text)
  return (text:gsub("|", "/"):gsub("^[#!><]+", ""))
end

-- Returns the entries of a field's menu as gfx.showmenu has them, and what each gives: a value, or a question.
function choosing.menu(field, value, capabilities)
  local entries, gives = {}, {}
  local function add(text, give, mark)
    entries[#entries + 1] = (mark or "") .. plain(text)
    gives[#gives + 1] = give
  end
  for _, option in ipairs(field.choice or {}) do
    local why = choosing.lack(option, capabilities)
    local checked = option[1] == value and "!" or ""
    add(why and ("%s (not available: %s)"):format(option[2], why) or option[2], { value = option[1] },
      why and checked .. "#" or checked)
  end
  if field.flag then
    add("Yes", { value = true }, value and "!" or "")
    add("No", { value = false }, value and "" or "!")
  elseif field.file then
    add(field.empty, { value = "" }, value == "" and "!" or "")
    add("Choose a file...", { asks = "file" })
  elseif field.text then
    add("Other...", { asks = "text" })
  end
  return table.concat(entries, "|"), gives
end

local function asked_number(field, value)
  local text = choosing.shown(field, value)
  while true do
    local answers = ask.fields(field.label, { ("%s (%g to %g)"):format(field.label, field.number[1], field.number[2]) },
      { text })
    if not answers then return value end
    local number = ask.number(answers[1])
    if number and number >= field.number[1] and number <= field.number[2] then return settings.valid(field, number) end
    reaper.MB(("Give a number from %g to %g."):format(field.number[1], field.number[2]), field.label, 0)
    text = answers[1]
  end
end

-- Asks for another value. show_menu(entries): shows a menu and returns the number of what was chosen, 0 for none.
-- Returns the new value, or the old one.
function choosing.change(field, value, capabilities, show_menu)
  if field.number then return asked_number(field, value) end
  if field.text and not field.choice then
    local answers = ask.fields(field.label, { field.label }, { value })
    return answers and answers[1] ~= "" and answers[1] or value
  end
  local entries, gives = choosing.menu(field, value, capabilities)
  local give = gives[show_menu(entries)]
  if not give then return value end
  if give.asks == "file" then
    local ok, path = reaper.GetUserFileNameForRead(value, field.label, field.file)
    return ok and path or value
  elseif give.asks == "text" then
    local answers = ask.fields(field.label, { field.label }, { value })
    return answers and answers[1] ~= "" and answers[1] or value
  end
  return give.value
end

return choosing
