"""From packages and folders of recordings to a corpus whose every sound may be trained on, with a list of credits."""
