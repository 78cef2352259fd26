-- @description FoleySpace: place sounds where the picture shows them
-- @author The FoleySpace developers
-- @version 0.1.0
-- @changelog First version
-- @provides
--   [main] .
--   [main] FoleySpace_Localize video item.lua
--   [main] FoleySpace_Generate foley for time selection.lua
--   [main] FoleySpace_Re-render changed.lua
--   [main] FoleySpace_Cancel.lua
--   [main] FoleySpace_Check installation.lua
--   [main] FoleySpace_Settings.lua
--   [nomain] lib/*.lua
--   [effect] effects/*.jsfx
-- @about
--   # FoleySpace
--
--   Places items in space and gives them back as binaural items that follow what is seen.
--
--   Needs the FoleySpace host: `pip install "foleyspace-host[cpu]"`, then `foleyspace reaper install`.
--
--   - **Spatialize selected items**: each item moves as its automation of "FoleySpace Position" says, or as what is
--     seen in the video item beside it, or from one direction to another. Results land on child tracks.
--   - **Localize video item**: writes what is found in the picture as automation that you can edit.
--   - **Generate foley for time selection**: makes a sound from words, and draws its loudness as automation of
--     "FoleySpace Loudness"; edit that, select the item and run it again.
--   - **Re-render changed**, **Cancel**, **Check installation**, **Settings**.

local here = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
package.path = here .. "lib/?.lua;" .. package.path
require("actions")("spatialize")
