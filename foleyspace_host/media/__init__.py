"""Sound and video files: probing, decoding on one time line, levels, safe writing, muxing.

Time zero of a file is the earliest start of its sound and picture streams; sample ``k`` of its audio and a
frame with ``t_s = k / sample_rate_hz`` are presented together. Import the modules by name; this package
imports none of them, so that it costs nothing until a file is opened.
"""
