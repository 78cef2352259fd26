-- A short mark of a text: two texts with the same mark are, for all that matters here, the same.
-- FNV-1a with 64 bits (Fowler, Noll, Vo; offset basis and prime as published).
local hash = {}

local OFFSET, PRIME = 0xcbf29ce484222325, 0x100000001b3

-- Returns 16 hexadecimal digits. breathe: called now and then, or nil.
function hash.of(text, breathe)
  local mark = OFFSET
  for start = 1, #text, 128 do
    for _, byte in ipairs({ text:byte(start, start + 127) }) do
      mark = (mark ~ byte) * PRIME -- wraps at 64 bits, as it should
    end
    if breathe and start % 4096 == 1 then breathe() end
  end
  return ("%016x"):format(mark)
end

return hash
