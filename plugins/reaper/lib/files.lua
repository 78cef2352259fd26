-- Files and folders: whole or not at all, and gone without a trace.
local files = {}

local SEPARATOR = package.config:sub(1, 1) -- of this system

-- Returns the path of what these names lead to in a folder.
function files.join(folder, ...)
  return table.concat({ (folder:gsub("[/\\]+$", "")), ... }, SEPARATOR)
end

-- Returns the last part of a path.
function files.name(path)
  return path:match("([^/\\]+)[/\\]*$") or path
end

-- Makes a folder with all above it; returns whether a file can be written in it, or false and why not.
function files.make_folder(folder)
  reaper.RecursiveCreateDirectory(folder, 0)
  local probe = files.join(folder, ".foleyspace-probe")
  local file, why = io.open(probe, "wb")
  if not file then return false, why end
  file:close()
  os.remove(probe)
  return true
end

-- Writes a file under another name and renames it, so that nobody reads half of it; returns whether, and why not.
function files.write_whole(path, text)
  local hidden = path .. ".part"
  local file, why = io.open(hidden, "wb")
  if not file then return false, why end
  local ok
  ok, why = file:write(text)
  local closed, why_not_closed = file:close()
  if ok and closed then
    ok, why = os.rename(hidden, path)
    if ok then return true end
  end
  os.remove(hidden)
  return false, why or why_not_closed
end

-- Returns what a file holds, or nil.
function files.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

-- Returns a file's length in bytes, or nil if it cannot be opened.
function files.size(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local size = file:seek("end")
  file:close()
  return size
end

local function listed(enumerate, folder)
  local names = {}
  enumerate(folder, -1) -- REAPER keeps what it saw; read it again
  for index = 0, 99999 do
    local name = enumerate(folder, index)
    if not name then break end
    names[#names + 1] = name
  end
  return names
end

-- Returns the names of the folders in a folder.
function files.folders(folder)
  return listed(reaper.EnumerateSubdirectories, folder)
end

-- Removes a folder with all in it. Lua cannot remove folders on Windows: there an empty one may stay.
function files.remove_folder(folder)
  for _, name in ipairs(listed(reaper.EnumerateFiles, folder)) do
    os.remove(files.join(folder, name))
  end
  for _, name in ipairs(files.folders(folder)) do
    files.remove_folder(files.join(folder, name))
  end
  os.remove(folder)
end

return files
