"""The Blender extension's way from its source into Blender: built, carried by the wheel, installed.

``assets`` holds the built extension, one archive for each system. It is made by ``foleyspace blender build``, is
no part of the repository, and is part of a wheel.
"""
