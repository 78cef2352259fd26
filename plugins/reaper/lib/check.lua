-- "Check installation": says exactly what is missing, and how to get it.
local files = require("files")
local install = require("install")
local loudness_fx = require("loudness_fx")
local position_fx = require("position_fx")
local project_facts = require("project")
local settings = require("settings")

local check = {}

local FEATURES = { localize = "finding things in videos", render = "placing sounds", spatialize = "sounds for videos",
  generate = "making sounds from words" }

-- Returns whether an effect is installed, or nil if this REAPER cannot tell.
local function has_effect(fx, breathe)
  if not reaper.APIExists("EnumInstalledFX") then return nil end
  for index = 0, 99999 do
    local ok, name = reaper.EnumInstalledFX(index)
    if not ok then return false end
    if name:find(fx.NAME, 1, true) then return true end
    breathe()
  end
end

-- Returns a line that says how one thing is, and counts what is missing.
local function line(state, ok, what, cure)
  if ok then return "  ok       " .. what end
  state.missing = state.missing + 1
  return "  MISSING  " .. what .. (cure and cure ~= "" and "\n           -> " .. cure or "")
end

local function of_host(session, state, lines)
  if not session:open_job() then return end
  local response, why = session:answer({
    kind = "check", project_rate_hz = project_facts.rate_hz(session.project),
    profile = settings.load(session.project).profile, items = require("json").EMPTY_LIST,
  })
  if not response then
    lines[#lines + 1] = line(state, false, "the FoleySpace host", why or "the check was cancelled")
    return
  end
  local versions = response.versions or {}
  if type(response.error) == "table" then
    local failure = response.error
    lines[#lines + 1] = line(state, false, ("the FoleySpace host: %s"):format(failure.message), failure.cure)
  else
    lines[#lines + 1] = line(state, true, ("FoleySpace %s, host %s, Python %s"):format(
      versions.foleyspace or "?", versions.host or "?", versions.python or "?"))
  end
  for _, one in ipairs(response.capabilities or {}) do
    local what = FEATURES[one.name] and ("%s (%s)"):format(FEATURES[one.name], one.name) or one.name
    if one.available then
      lines[#lines + 1] = "  ok       " .. what
    else -- not everybody needs everything: told, but not counted
      lines[#lines + 1] = ("  without  %s: %s%s"):format(what, one.reason or "not available",
        one.cure and "\n           -> " .. one.cure or "")
    end
  end
end

function check.installation(session)
  local state = { missing = 0 }
  local lines = { "FoleySpace: Check installation",
    ("  REAPER %s on %s, %s"):format(reaper.GetAppVersion(), reaper.GetOS(), _VERSION) }
  local ok, why = files.make_folder(install.data_folder())
  lines[#lines + 1] = line(state, ok, "a folder for its jobs: " .. install.data_folder(), why)
  local folder
  folder, why = project_facts.output_folder(session.project)
  lines[#lines + 1] = line(state, folder ~= nil, folder and ("results go to " .. folder) or why,
    not folder and "save the project, or choose another media path in its settings")
  for _, fx in ipairs({ position_fx, loudness_fx }) do
    lines[#lines + 1] = line(state, has_effect(fx, session.breathe) ~= false, ("the effect «%s»"):format(fx.NAME),
      "in a terminal: foleyspace reaper install; then restart REAPER")
  end
  local bridge
  bridge, why = install.bridge()
  lines[#lines + 1] = line(state, bridge ~= nil, bridge and ("the bridge " .. bridge) or "the bridge to the host",
    not bridge and why)
  if bridge and ok then of_host(session, state, lines) end
  reaper.ShowConsoleMsg(table.concat(lines, "\n") .. "\n\n")
  if state.missing == 0 then
    session:say("Everything is there. The console says what this FoleySpace can do.")
  else
    session:say(("%d of the things FoleySpace needs %s missing. The console says which, and how to get them."):format(
      state.missing, state.missing == 1 and "is" or "are"))
  end
end

return check
