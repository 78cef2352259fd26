-- The effect "FoleySpace Position": azimuth [deg], elevation [deg], distance [m].
return require("own_fx").new("FoleySpace Position", { { -1080, 1080 }, { -90, 90 }, { 0.3, 50 } })
