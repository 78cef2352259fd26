-- "Cancel": stops what runs.
local run = require("run")

return function()
  local title = run.busy_with()
  if title then
    run.ask_to_cancel()
  else
    reaper.MB("No action of FoleySpace is running.", "FoleySpace: Cancel", 0)
  end
end
