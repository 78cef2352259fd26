-- @description FoleySpace: Settings
-- @author The FoleySpace developers
-- @version 0.1.0
-- @about Shows and changes how FoleySpace renders, and what this computer's host cannot do.
-- @noindex Part of the package of "FoleySpace_Spatialize selected items.lua"

local here = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
package.path = here .. "lib/?.lua;" .. package.path
require("actions")("settings")
