-- @description FoleySpace: Check installation
-- @author The FoleySpace developers
-- @version 0.1.0
-- @about Says exactly what FoleySpace needs and does not find, and how to get it.
-- @noindex Part of the package of "FoleySpace_Spatialize selected items.lua"

local here = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
package.path = here .. "lib/?.lua;" .. package.path
require("actions")("check")
