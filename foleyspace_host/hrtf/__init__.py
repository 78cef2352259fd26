"""Head-related transfer functions: from a SOFA file to a set prepared for rendering.

``sofa`` reads and checks the file, ``align`` takes the travel times out of the responses, ``refine``
fills a dense mesh of directions from the measured ones, ``mesh`` finds the triangle that a direction
lies in, and ``prepare`` puts these together into the `Hrtf` which the renderer reads.
"""
