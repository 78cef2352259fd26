-- Colours and texts that fit, for the windows.
local drawing = {}

-- Sets the colour of what is drawn next; parts of 0 to 1.
function drawing.ink(red, green, blue, strength)
  gfx.r, gfx.g, gfx.b, gfx.a = red, green, blue, strength or 1
end

-- Returns a text, cut so that it is not wider than this.
function drawing.fitting(text, width)
  if gfx.measurestr(text) <= width then return text end
  while #text > 1 and gfx.measurestr(text .. "...") > width do
    text = text:sub(1, (utf8.offset(text, -1) or #text) - 1)
  end
  return text .. "..."
end

-- Returns a word in pieces that are not wider than this: paths can be long.
local function pieces(word, width)
  local found = {}
  while gfx.measurestr(word) > width do
    local n = utf8.len(word) or #word
    while n > 1 and gfx.measurestr(word:sub(1, (utf8.offset(word, n + 1) or n + 1) - 1)) > width do n = n - 1 end
    local stop = utf8.offset(word, n + 1) or n + 1
    found[#found + 1] = word:sub(1, stop - 1)
    word = word:sub(stop)
  end
  found[#found + 1] = word
  return found
end

-- Returns a text in lines that are not wider than this.
function drawing.wrapped(text, width)
  local lines, line, words = {}, "", {}
  for word in text:gmatch("%S+") do
    for _, piece in ipairs(pieces(word, width)) do words[#words + 1] = piece end
  end
  for _, word in ipairs(words) do
    local longer = line == "" and word or line .. " " .. word
    if line ~= "" and gfx.measurestr(longer) > width then
      lines[#lines + 1] = line
      line = word
    else
      line = longer
    end
  end
  lines[#lines + 1] = line
  return lines
end

return drawing
