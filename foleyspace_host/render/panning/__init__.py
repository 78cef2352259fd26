"""Pan laws: how loud a source in some direction is in each channel of a format.

A law knows directions and channels alone; distance, movement and time are the renderer's.
"""
