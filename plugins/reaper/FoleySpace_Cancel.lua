-- @description FoleySpace: Cancel
-- @author The FoleySpace developers
-- @version 0.1.0
-- @about Stops the action of FoleySpace that runs now; nothing is changed.
-- @noindex Part of the package of "FoleySpace_Spatialize selected items.lua"

local here = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
package.path = here .. "lib/?.lua;" .. package.path
require("actions")("cancel")
