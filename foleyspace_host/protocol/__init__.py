"""What clients and host say to each other: frames, messages and their limits, keys and the connection file.

Knows nothing of jobs or rendering; imports no heavy library.
"""
