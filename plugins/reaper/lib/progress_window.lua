-- A small window that shows how far a job is, with a button to cancel it. All works without it as well.
local drawing = require("drawing")

local progress_window = {}
progress_window.__index = progress_window

local WIDTH, HEIGHT = 420, 116
local APPEARS_S = 0.6 -- short jobs come and go without a window
local BUTTON = { x = WIDTH - 96, y = HEIGHT - 40, w = 80, h = 26 }
local ESCAPE = 27
local ink = drawing.ink

-- Returns a window that opens a little later. on_cancel: called once, when the user wants to cancel.
function progress_window.new(title, on_cancel)
  return setmetatable({
    title = title, on_cancel = on_cancel, text = "", fraction = 0, state = "waiting", since = reaper.time_precise(),
  }, progress_window)
end

-- Says how far it is. fraction: 0 to 1, or nil if that is not known.
function progress_window:tell(text, fraction)
  self.text = text
  self.fraction = fraction
end

function progress_window:_open()
  if not gfx or not gfx.init then
    self.state = "none"
    return
  end
  local ok = gfx.init(self.title, WIDTH, HEIGHT, 0)
  self.state = ok == 0 and "none" or "open"
end

function progress_window:_draw(over_button)
  ink(0.13, 0.14, 0.16)
  gfx.rect(0, 0, gfx.w, gfx.h, 1)
  gfx.setfont(1, "Arial", 16)
  ink(0.93, 0.94, 0.96)
  gfx.x, gfx.y = 16, 14
  gfx.drawstr(drawing.fitting(self.text, WIDTH - 32))
  ink(1, 1, 1, 0.14)
  gfx.rect(16, 42, WIDTH - 32, 10, 1)
  ink(0.98, 0.68, 0.26)
  if self.fraction then
    gfx.rect(16, 42, math.floor((WIDTH - 32) * math.max(0, math.min(1, self.fraction))), 10, 1)
  else -- something moves as long as it lives
    local part = reaper.time_precise() * 0.5 % 1
    gfx.rect(16 + math.floor((WIDTH - 112) * math.abs(2 * part - 1)), 42, 80, 10, 1)
  end
  local spent = math.floor(reaper.time_precise() - self.since)
  gfx.setfont(1, "Arial", 14)
  ink(0.65, 0.67, 0.71)
  gfx.x, gfx.y = 16, BUTTON.y + 5
  gfx.drawstr(("%d:%02d"):format(spent // 60, spent % 60))
  ink(1, 1, 1, over_button and 0.24 or 0.14)
  gfx.rect(BUTTON.x, BUTTON.y, BUTTON.w, BUTTON.h, 1)
  ink(0.93, 0.94, 0.96)
  local label = self.asked and "Cancelling" or "Cancel"
  gfx.x = BUTTON.x + (BUTTON.w - gfx.measurestr(label)) / 2
  gfx.y = BUTTON.y + 5
  gfx.drawstr(label)
end

function progress_window:_cancel()
  if self.asked then return end
  self.asked = true
  self.on_cancel()
end

-- Draws it and takes what the user does. A window that is closed only hides: the job goes on.
function progress_window:tick()
  if self.state == "waiting" and reaper.time_precise() - self.since > APPEARS_S then self:_open() end
  if self.state ~= "open" then return end
  local key = gfx.getchar()
  if key < 0 then
    self.state = "hidden"
    return
  end
  local over = gfx.mouse_x >= BUTTON.x and gfx.mouse_x < BUTTON.x + BUTTON.w
    and gfx.mouse_y >= BUTTON.y and gfx.mouse_y < BUTTON.y + BUTTON.h
  local down = gfx.mouse_cap & 1 == 1
  if key == ESCAPE or (over and self.was_down and not down) then self:_cancel() end
  self.was_down = down
  self:_draw(over)
  gfx.update()
end

-- Closes it.
function progress_window:close()
  if self.state == "open" then gfx.quit() end
  self.state = "closed"
end

return progress_window
