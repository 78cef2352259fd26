-- The effect "FoleySpace Loudness": how loud a generated sound is to be over time [dB, 0 is usual, -100 is silence].
return require("own_fx").new("FoleySpace Loudness", { { -100, 20 } })
