"""Timelines of editing programs: read, flattened, their sounds rendered to where the picture shows them, written again.

`run.spatialize_timeline` is the whole way. A timeline is handled as the plain document that an ``.otio`` file
holds (dictionaries and lists), so that whatever this program does not know stays as it is; OpenTimelineIO brings
older schemas up to date, reads the other formats, and judges what is written.
"""
