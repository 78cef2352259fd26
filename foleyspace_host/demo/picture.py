"""The demo's picture: the scene, the path from above, and direction and interaural differences over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.demo.scene import CAMERA, DURATION_S, Truth
from foleyspace_host.geometry.frames import angles_to_unit

if TYPE_CHECKING:
    from pathlib import Path

    from foleyspace_host.demo.measure import Cues, Errors
    from foleyspace_host.geometry.trajectory import Source

__all__ = ["Measured", "draw"]

# two colours of Okabe and Ito's set, and a difference in kind (line, dots), so that no one has to see the hue
_TRUE, _FOUND = "#0072B2", "#D55E00"
_INK, _FAINT, _GRID = "#2B2D33", "#8A8D95", "#E4E5E8"


@dataclass(frozen=True, slots=True)
class Measured:
    """All that the picture shows.

    Parameters
    ----------
    view : ndarray, shape (height, width, 3), uint8
        Several moments of the clip in one picture.
    truth : Truth
        The true path, densely in time.
    source : Source
        The estimated one.
    expected : Cues
        What the true path gives.
    rendered : Cues
        What the rendered sound has.
    errors : Errors
        How far the estimate is off.
    itd_error_us, ild_error_db : float
        Mean difference of the rendered cues from the expected ones.
    """

    view: NDArray[np.uint8]
    truth: Truth
    source: Source
    expected: Cues
    rendered: Cues
    errors: Errors
    itd_error_us: float
    ild_error_db: float


def draw(measured: Measured, path: Path) -> None:
    """Draw the picture as PNG.

    Parameters
    ----------
    measured : Measured
        What to show.
    path : Path
        Where to write.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style: dict[str, Any] = {
        "font.family": "DejaVu Sans",
        "font.size": 9.5,
        "text.color": _INK,
        "axes.edgecolor": _FAINT,
        "axes.labelcolor": _INK,
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": _GRID,
        "grid.linewidth": 0.7,
        "xtick.color": _FAINT,
        "ytick.color": _FAINT,
        "xtick.labelcolor": _INK,
        "ytick.labelcolor": _INK,
    }
    with rc_context(style):
        figure = Figure(figsize=(12.6, 7.4), facecolor="white")
        FigureCanvasAgg(figure)
        columns = figure.add_gridspec(
            1, 2, width_ratios=(1.0, 1.12), left=0.045, right=0.985, top=0.93, bottom=0.075, wspace=0.13
        )
        left = columns[0].subgridspec(2, 1, height_ratios=(1.0, 1.06), hspace=0.20)
        right = columns[1].subgridspec(3, 1, hspace=0.34)
        _show_view(figure.add_subplot(left[0]), measured)
        _show_path(figure.add_subplot(left[1]), measured)
        first = figure.add_subplot(right[0])
        _show_azimuth(first, measured)
        _show_cue(
            figure.add_subplot(right[1], sharex=first),
            measured.expected.t_s,
            measured.expected.itd_us,
            measured.rendered.t_s,
            measured.rendered.itd_us,
            f"Interaural time difference [µs]      mean error {measured.itd_error_us:.0f} µs",
        )
        last = figure.add_subplot(right[2], sharex=first)
        _show_cue(
            last,
            measured.expected.t_s,
            measured.expected.ild_db,
            measured.rendered.t_s,
            measured.rendered.ild_db,
            f"Interaural level difference, 1–12 kHz [dB]      mean error {measured.ild_error_db:.1f} dB",
        )
        last.set_xlabel("time [s]")
        figure.savefig(str(path), dpi=130)


def _show_view(axes: Any, measured: Measured) -> None:
    axes.imshow(measured.view, interpolation="lanczos")
    axes.set_axis_off()
    _title(axes, "The clip: three moments in one")


def _show_path(axes: Any, measured: Measured) -> None:
    """Seen from above: ahead is up, left is left."""
    truth, keys = measured.truth, measured.source.keys
    half = np.radians(CAMERA.hfov_deg / 2)
    reach = 11.6
    axes.fill(
        [0, -reach * np.tan(half), reach * np.tan(half)],
        [0, reach, reach],
        color="#F3F4F6",
        zorder=0,
        linewidth=0,
    )
    axes.plot(-truth.position_m[:, 1], truth.position_m[:, 0], color=_TRUE, linewidth=2.2, label="true path")
    unit = angles_to_unit([key.azimuth_deg for key in keys], [key.elevation_deg for key in keys])
    place = unit * np.array([key.distance_m for key in keys])[:, None]
    seconds = np.arange(0.25, DURATION_S, 0.25)
    times = [key.t_s for key in keys]
    across, ahead = (np.interp(seconds, times, place[:, axis]) for axis in (1, 0))
    axes.plot(-across, ahead, "o", color=_FOUND, markersize=4.2, markeredgewidth=0, label="found in the picture")
    for second in range(0, DURATION_S + 1, 2):
        index = int(np.argmin(np.abs(truth.t_s - second)))
        front, side = truth.position_m[index, :2]
        axes.annotate(
            f"{second} s",
            (-side, front),
            xytext=((0, 10), (8, 1), (-8, 1))[int(np.sign(side)) if abs(side) > 0.5 else 0],
            textcoords="offset points",
            ha=("center", "left", "right")[int(np.sign(side)) if abs(side) > 0.5 else 0],
            va="center",
            color=_FAINT,
            fontsize=8.5,
        )
    axes.add_patch(_head())
    axes.plot([0.0], [0.62], marker="^", color=_INK, markersize=4, zorder=5)
    axes.annotate("listener", (0.75, -0.12), color=_INK, fontsize=9, va="center")
    axes.set_aspect("equal")
    axes.set_xlim(-8.6, 8.6)
    axes.set_ylim(-1.0, reach)
    axes.set_xlabel("left  ←  [m]  →  right")
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):.0f}")
    axes.set_ylabel("ahead [m]")
    axes.legend(loc="lower left", frameon=False, handlelength=1.4, borderaxespad=0.2)
    _title(axes, f"The path from above      mean distance error {measured.errors.distance_mean_percent:.1f} %")


def _show_azimuth(axes: Any, measured: Measured) -> None:
    truth, keys = measured.truth, measured.source.keys
    axes.plot(truth.t_s, truth.azimuth_deg, color=_TRUE, linewidth=2.2, label="truth")
    seconds = np.arange(0.125, DURATION_S, 0.25)
    found = np.interp(seconds, [key.t_s for key in keys], [key.azimuth_deg for key in keys])
    axes.plot(seconds, found, "o", color=_FOUND, markersize=4.2, markeredgewidth=0, label="measured")
    _zero(axes)
    axes.set_xlim(0, DURATION_S)
    axes.legend(loc="upper right", frameon=False, ncols=2, handlelength=1.4, borderaxespad=0.0)
    errors = measured.errors
    _title(
        axes,
        f"Azimuth [°], left positive      mean error {errors.azimuth_mean_deg:.1f}°,"
        f" at most {errors.azimuth_max_deg:.1f}°",
    )


def _show_cue(
    axes: Any,
    true_s: NDArray[np.float64],
    true: NDArray[np.float64],
    found_s: NDArray[np.float64],
    found: NDArray[np.float64],
    title: str,
) -> None:
    axes.plot(true_s, true, color=_TRUE, linewidth=2.2)
    axes.plot(found_s, found, "o", color=_FOUND, markersize=4.2, markeredgewidth=0)
    _zero(axes)
    _title(axes, title)


def _zero(axes: Any) -> None:
    axes.axhline(0.0, color=_FAINT, linewidth=0.8, zorder=1)


def _title(axes: Any, text: str) -> None:
    """Set a title: the first part of the text in bold, what follows the wide gap in plain."""
    head, _, tail = text.partition("      ")
    title = axes.set_title(head, loc="left", fontsize=10.5, fontweight="bold", pad=7)
    if tail:
        axes.annotate(
            tail,
            (1, 0),
            xycoords=title,
            xytext=(10, 0),
            textcoords="offset points",
            fontsize=9.5,
            color=_INK,
            va="bottom",
        )


def _head() -> Any:
    from matplotlib.patches import Circle

    return Circle((0.0, 0.0), 0.38, facecolor=_INK, edgecolor="none", zorder=4)
