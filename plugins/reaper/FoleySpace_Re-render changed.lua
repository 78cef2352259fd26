-- @description FoleySpace: Re-render changed
-- @author The FoleySpace developers
-- @version 0.1.0
-- @about Renders again those items that would now sound otherwise than their results, and no others.
-- @noindex Part of the package of "FoleySpace_Spatialize selected items.lua"

local here = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
package.path = here .. "lib/?.lua;" .. package.path
require("actions")("rerender")
