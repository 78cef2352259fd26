"""The picture of a set: where it was measured, its time differences, and an ear's responses all around."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from foleyspace_host.geometry.frames import angles_to_unit, unit_to_angles
from foleyspace_host.hrtf.survey import Curves, Survey

__all__ = ["draw"]

_DOTS, _LINE, _DIRECTION = "#0B3C5D", "#0072B2", "#D55E00"
_INK, _FAINT, _GRID = "#2B2D33", "#8A8D95", "#E4E5E8"
_HEAT_RANGE_DB = (-30.0, 15.0)
_HEAT_BAND_HZ = (200.0, 20_000.0)
_HEAD_RADIUS_M, _SPEED_OF_SOUND_M_S = 0.0875, 343.2
_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": _INK,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.7,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
}


def draw(facts: Survey, curves: Curves, path: Path) -> None:
    """Draw the picture; its format follows the suffix.

    Parameters
    ----------
    facts : Survey
        Numbers for the headings.
    curves : Curves
        What to show.
    path : Path
        Where to write.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(12.6, 7.0), facecolor="white")
        FigureCanvasAgg(figure)
        columns = figure.add_gridspec(
            1, 2, width_ratios=(1.0, 1.15), left=0.05, right=0.975, top=0.855, bottom=0.085, wspace=0.17
        )
        left = columns[0].subgridspec(2, 1, height_ratios=(1.0, 0.9), hspace=0.26)
        figure.text(0.028, 0.945, facts.name, fontsize=15, fontweight="bold", va="baseline")
        figure.text(0.028, 0.912, _summary(facts), fontsize=9.5, color="#5A5D66", va="baseline")
        _show_coverage(figure.add_subplot(left[0], projection="mollweide"), facts, curves)
        _show_itd(figure.add_subplot(left[1]), facts, curves)
        _show_responses(figure, figure.add_subplot(columns[1]), curves)
        figure.savefig(str(path), dpi=130)


def _summary(facts: Survey) -> str:
    return "   ·   ".join(
        [
            facts.convention,
            f"{facts.n_directions:,} directions at {facts.radius_m:.2g} m".replace(",", "\u2009"),
            f"{facts.n_taps} samples at {facts.sample_rate_hz / 1000:g} kHz",
            f"onsets: {facts.onset_estimator}",
            f"diffuse field {round(facts.level_db, 1) + 0.0:+.1f} dB",
        ]
    )


def _show_coverage(axes: Any, facts: Survey, curves: Curves) -> None:
    from scipy.spatial import cKDTree

    # left is drawn on the left: azimuth grows to the left, as seen from the listener
    azimuth, elevation = unit_to_angles(curves.unit)
    across, up = np.meshgrid(np.linspace(-180.0, 180.0, 241), np.linspace(-90.0, 90.0, 121))
    away = cKDTree(curves.unit).query(angles_to_unit(-across, up))[0]
    axes.contourf(
        np.radians(across),
        np.radians(up),
        np.degrees(2.0 * np.arcsin(np.minimum(away / 2.0, 1.0))),
        levels=[0.0, 10.0, 20.0, 30.0, 40.0, 180.0],
        colors=["#FFFFFF", "#F2EBDD", "#E6D6B8", "#D8BF92", "#C8A76D"],
    )
    size = float(np.clip(2600.0 / len(azimuth), 0.8, 10.0))
    axes.scatter(np.radians(-azimuth), np.radians(elevation), s=size, color=_DOTS, linewidths=0, zorder=3)
    axes.grid(True)
    axes.set_xticks(np.radians([-90, 0, 90]))
    axes.set_xticklabels([])
    axes.set_yticks(np.radians([-60, -30, 0, 30, 60]))
    axes.set_yticklabels(["−60°", "−30°", "0°", "30°", "60°"], fontsize=8)
    for place, name in ((-90, "left"), (0, "front"), (90, "right")):
        axes.annotate(
            name,
            (np.radians(place), 0.0),
            ha="center",
            va="center",
            fontsize=8.5,
            zorder=4,
            bbox={"boxstyle": "round,pad=0.22", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
        )
    _title(
        axes,
        "Where it was measured",
        f"every {facts.spacing_deg:.1f}°; largest hole {facts.hole_deg:.0f}°, shaded by 10° steps",
    )


def _show_itd(axes: Any, facts: Survey, curves: Curves) -> None:
    folded = np.radians(np.where(np.abs(curves.azimuth_deg) > 90, 180 - np.abs(curves.azimuth_deg), curves.azimuth_deg))
    side = np.sign(curves.azimuth_deg) * np.abs(folded)
    sphere_us = 1e6 * _HEAD_RADIUS_M / _SPEED_OF_SOUND_M_S * (side + np.sin(side))
    axes.plot(
        curves.azimuth_deg, sphere_us, color=_FAINT, linewidth=1.2, linestyle=(0, (4, 3)), label="sphere, 8.75 cm"
    )
    axes.plot(curves.azimuth_deg, curves.itd_us, color=_LINE, linewidth=2.0, label="as rendered")
    axes.plot(
        curves.measured_azimuth_deg,
        curves.measured_itd_us,
        "o",
        color=_DIRECTION,
        markersize=3.4,
        markeredgewidth=0,
        label="measured within 7°",
    )
    axes.grid(True)
    axes.axhline(0.0, color=_FAINT, linewidth=0.8, zorder=1)
    _azimuth_axis(axes.xaxis)
    axes.set_xlim(180, -180)
    axes.legend(loc="upper right", frameon=False, handlelength=1.7, borderaxespad=0.1, fontsize=8.5)
    azimuth, elevation = facts.itd_max_at_deg
    _title(
        axes,
        "Horizontal-plane ITD [µs]",
        f"largest {facts.itd_max_us:.0f} µs (azimuth {azimuth:.0f}°, elevation {elevation:.0f}°)",
    )


def _show_responses(figure: Any, axes: Any, curves: Curves) -> None:
    band = (curves.frequency_hz >= _HEAT_BAND_HZ[0] * 0.9) & (curves.frequency_hz <= _HEAT_BAND_HZ[1])
    heat = axes.pcolormesh(
        curves.frequency_hz[band],
        curves.azimuth_deg,
        curves.level_db[:, band],
        cmap="cividis",
        vmin=_HEAT_RANGE_DB[0],
        vmax=_HEAT_RANGE_DB[1],
        shading="nearest",
        rasterized=True,
    )
    axes.set_xscale("log")
    axes.set_xlim(_HEAT_BAND_HZ[0], min(_HEAT_BAND_HZ[1], float(curves.frequency_hz[-1])))
    ticks = [tick for tick in (200, 500, 1000, 2000, 5000, 10_000, 20_000) if tick <= axes.get_xlim()[1]]
    axes.set_xticks(ticks, [f"{tick // 1000}k" if tick >= 1000 else str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("frequency [Hz]", labelpad=2)
    _azimuth_axis(axes.yaxis)
    axes.set_ylim(-180, 180)
    bar = figure.colorbar(heat, ax=axes, pad=0.02, aspect=38, extend="both")
    bar.set_label("level re diffuse field [dB]", labelpad=4)
    bar.outline.set_visible(False)
    _title(axes, "Left ear, horizontal plane", "magnitude response by azimuth")


def _azimuth_axis(axis: Any) -> None:
    axis.set_ticks([180, 90, 0, -90, -180], ["behind", "left", "front", "right", "behind"])


def _title(axes: Any, head: str, tail: str) -> None:
    title = axes.set_title(head, loc="left", fontsize=10.5, fontweight="bold", pad=8)
    axes.annotate(
        tail,
        (1, 0),
        xycoords=title,
        xytext=(9, 0),
        textcoords="offset points",
        fontsize=8.8,
        color="#5A5D66",
        va="bottom",
    )
