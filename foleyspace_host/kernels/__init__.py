"""The inner loops, in C: Fourier transforms and filters, delay lines, panning, meters.

The sources are in the folder ``c``; ``hatch_build.py`` compiles them when the package is built. `library` finds and
loads what was compiled; the other modules are its functions, and check arrays before they go there.
"""
