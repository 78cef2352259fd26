-- Lua of REAPER 6 (5.3) and 7 (5.4), with what REAPER gives to scripts
std = "lua53"
max_line_length = 120
read_globals = { "reaper" }
globals = { "gfx" }
