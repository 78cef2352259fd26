"""The data set as a program: sounds, heads, movements and rooms become pairs of mono and binaural sound.

``material`` and ``listeners`` hold what is recorded: sounds and measured heads; ``prepare`` packs both into a small
folder. ``scenarios`` and ``rooms`` invent where the sound is. ``direct``, ``reflected`` and ``synth`` render on the
training device, many at a time; ``batches`` is the endless seeded stream of it, as a ``preset`` asks for. ``export``
writes pairs for other people's models, ``evaluation`` the small fixed set that results are reported on.
"""
