"""REAPER: a script there leaves a folder with a request, and the bridge has the host do it.

The scripts are written in Lua, which is built into REAPER and has no sockets. So they talk through files: `mailbox`
says which. `bridge` is the program between the mailbox and the host, `install` brings the scripts to where REAPER
looks for them.
"""
