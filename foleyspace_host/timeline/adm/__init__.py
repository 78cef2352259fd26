"""Rendered clips as objects of the Audio Definition Model (ITU-R BS.2076), for programs that render by themselves.

What goes there: the dry sound of each clip and its positions over time in one Broadcast Wave file, written and
read back. `write` is the way in.
"""
