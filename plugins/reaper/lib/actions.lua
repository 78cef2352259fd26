-- The actions by their names: what the entry files call.
local session = require("session")

local ACTIONS = {
  spatialize = function() session.start("FoleySpace: Spatialize selected items", require("spatialize").selected) end,
  rerender = function() session.start("FoleySpace: Re-render changed", require("spatialize").changed) end,
  localize = function() session.start("FoleySpace: Localize video item", require("localize").videos) end,
  generate = function()
    session.start("FoleySpace: Generate foley for time selection", require("generate").selection)
  end,
  check = function() session.start("FoleySpace: Check installation", require("check").installation) end,
  cancel = require("cancel"),
  settings = function() require("settings_window").open() end,
}

-- Runs an action.
return function(name)
  ACTIONS[name]()
end
