"""Space and time: frames of reference, the camera, trajectories, sample positions.

One frame everywhere, that of SOFA/AES69: x front, y left, z up, in metres; azimuth in degrees
anticlockwise seen from above (left is positive), elevation upwards. Only this package converts others.
"""
