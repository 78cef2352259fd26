-- @description FoleySpace: Localize video item
-- @author The FoleySpace developers
-- @version 0.1.0
-- @about Finds what makes the sound in a video item and writes its way as automation onto a new track.
-- @noindex Part of the package of "FoleySpace_Spatialize selected items.lua"

local here = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
package.path = here .. "lib/?.lua;" .. package.path
require("actions")("localize")
