"""Options that several commands share, worded once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

__all__ = [
    "FILE",
    "detector_option",
    "distance_gain_option",
    "hfov_option",
    "hrtf_option",
    "json_option",
    "label_option",
    "propagation_option",
    "spread_option",
]

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

FILE = click.Path(path_type=Path)
"""Any path: the pipeline, not the parser, tells what is wrong with a file."""


def json_option() -> Decorator:
    """``--json``: the result, or the error, as one JSON object."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")


def label_option() -> Decorator:
    """``--label``: the class to follow."""
    return click.option("--label", metavar="NAME", help="Class to follow, for example car.")


def hfov_option() -> Decorator:
    """``--hfov``: the camera's field of view."""
    return click.option(
        "--hfov",
        "hfov_deg",
        type=float,
        default=60.0,
        show_default=True,
        metavar="DEG",
        help="Field of view of the camera over the longer side of the picture.",
    )


def detector_option() -> Decorator:
    """``--detector``: a detector instead of the shipped one."""
    return click.option(
        "--detector", type=FILE, metavar="FILE.onnx", help="Detector to use instead of the shipped CenterNet."
    )


def hrtf_option() -> Decorator:
    """``--hrtf``: a set of responses instead of the shipped one."""
    return click.option("--hrtf", type=FILE, metavar="FILE.sofa", help="HRTF set to use instead of the shipped KEMAR.")


def spread_option() -> Decorator:
    """``--spread``: a factor on azimuths."""
    return click.option(
        "--spread",
        type=float,
        default=1.0,
        show_default=True,
        metavar="X",
        help="Factor on azimuths: 1 is true geometry, 1.5 to 2 plays wider than the picture.",
    )


def distance_gain_option() -> Decorator:
    """``--distance-gain``: level over distance."""
    return click.option(
        "--distance-gain",
        type=click.Choice(["relative", "physical", "none"]),
        default="relative",
        show_default=True,
        help="Level over distance: around the clip's own level, 1/r against 1 m (for dry sound), or none.",
    )


def propagation_option() -> Decorator:
    """``--propagation``: travel time of the sound."""
    return click.option(
        "--propagation",
        type=click.Choice(["none", "doppler", "physical"]),
        default="none",
        show_default=True,
        help="Travel time of the sound: none keeps exact sync, doppler its changes, physical all of it.",
    )
