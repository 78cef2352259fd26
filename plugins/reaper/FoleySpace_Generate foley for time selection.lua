-- @description FoleySpace: Generate foley for time selection
-- @author The FoleySpace developers
-- @version 0.1.0
-- @about Makes a sound from words for the time selection, fitted to the video there if there is one, or as loud as it
--   was drawn; a selected item that was generated is made anew, as its loudness is drawn by now.
-- @noindex Part of the package of "FoleySpace_Spatialize selected items.lua"

local here = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
package.path = here .. "lib/?.lua;" .. package.path
require("actions")("generate")
