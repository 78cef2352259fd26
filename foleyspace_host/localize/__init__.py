"""Where the sounding thing is: detect in each frame, follow over time, smooth, turn into a trajectory."""
