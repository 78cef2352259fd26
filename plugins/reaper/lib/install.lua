-- Where the other half of FoleySpace is: the bridge, a program of the host package.
local files = require("files")

local install = {}

install.CURE = 'In a terminal: pip install "foleyspace-host[cpu]", then: foleyspace reaper install'

-- Returns the folder of all that FoleySpace keeps in REAPER's resource folder.
function install.data_folder()
  return files.join(reaper.GetResourcePath(), "Data", "FoleySpace")
end

-- Returns the path of the bridge, or nil and a sentence. `foleyspace reaper install` writes where it is.
function install.bridge()
  local path = files.join(install.data_folder(), "foleyspace_paths.lua")
  if not reaper.file_exists(path) then
    return nil, "REAPER does not know yet where FoleySpace is installed. " .. install.CURE
  end
  local chunk = load(files.read(path) or "", "foleyspace_paths.lua", "t", {}) -- it may say, but not do anything
  local ok, paths = pcall(chunk or error)
  if not ok or type(paths) ~= "table" or type(paths.bridge) ~= "string" then
    return nil, ("%s is damaged. In a terminal: foleyspace reaper install"):format(path)
  end
  if not reaper.file_exists(paths.bridge) then
    return nil, ("The program %s is gone. %s"):format(paths.bridge, install.CURE)
  end
  return paths.bridge, paths.version
end

-- Returns a word for a command line of ExecProcess, which knows three quotation marks and no escapes, or nil.
function install.quoted(word)
  for _, mark in ipairs({ '"', "'", "`" }) do
    if not word:find(mark, 1, true) then return mark .. word .. mark end
  end
end

return install
