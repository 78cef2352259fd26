"""Which box of this picture is the thing of the last: tracks, joined over gaps and cuts, smoothed."""
