"""Sounds from simple models of what makes them, with every number drawn anew: they fill what recordings lack.

Each module holds one kind of making; `INVENTORS` of `catalogue` says which function makes which class. A function takes
a generator of random numbers and gives a mono sound at 48 kHz of any level.
"""
