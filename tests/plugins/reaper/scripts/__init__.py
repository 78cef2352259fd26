"""Tests of the Lua scripts alone: the fake REAPER on one side, a stand-in for the bridge on the other."""
