-- What is told to the user at the end: what went wrong in a window, what is good to know in the console.
local report = {}
report.__index = report

local IN_WINDOW = 6 -- sentences; the rest stands in the console

-- Returns an empty report. title: of the action.
function report.new(title)
  return setmetatable({ title = title, problems = {}, notes = {}, order = {} }, report)
end

local function add(self, list, name, sentence)
  local key = list == self.problems and "p" .. sentence or "n" .. sentence
  local entry = self.order[key]
  if not entry then
    entry = { sentence = sentence, names = {} }
    self.order[key] = entry
    list[#list + 1] = entry
  end
  if name then entry.names[#entry.names + 1] = name end
end

-- Adds what went wrong. name: of the item, or nil.
function report:problem(name, sentence)
  add(self, self.problems, name, sentence)
end

-- Adds what is good to know. name: of the item, or nil.
function report:note(name, sentence)
  add(self, self.notes, name, sentence)
end

-- Returns an error of the host as a sentence.
function report.of_error(failure)
  if type(failure) ~= "table" then return "the reason is unknown" end
  local where = failure.where and failure.where ~= "" and (failure.where .. ": ") or ""
  local cure = failure.cure and failure.cure ~= "" and ("; " .. failure.cure) or ""
  return where .. tostring(failure.message or failure.code or "the reason is unknown") .. cure
end

local function line(entry)
  if #entry.names == 0 then return entry.sentence end
  local shown = table.concat(entry.names, "», «", 1, math.min(3, #entry.names))
  local more = #entry.names > 3 and (" and %d more"):format(#entry.names - 3) or ""
  return ("«%s»%s: %s"):format(shown, more, entry.sentence)
end

local function lines(entries, count)
  local found = {}
  for index = 1, math.min(count or #entries, #entries) do found[index] = line(entries[index]) end
  return found
end

-- Shows it. headline: one sentence that says what was done.
function report:show(headline)
  if #self.problems + #self.notes > 0 then
    local text = { self.title .. ": " .. headline }
    for _, one in ipairs(lines(self.problems)) do text[#text + 1] = "  ! " .. one end
    for _, one in ipairs(lines(self.notes)) do text[#text + 1] = "  - " .. one end
    reaper.ShowConsoleMsg(table.concat(text, "\n") .. "\n\n")
  end
  if #self.problems > 0 then
    local text = lines(self.problems, IN_WINDOW)
    table.insert(text, 1, headline .. "\n")
    if #self.problems > IN_WINDOW then text[#text + 1] = "The rest stands in the console (View > Console)." end
    reaper.MB(table.concat(text, "\n"), self.title, 0)
  end
end

return report
