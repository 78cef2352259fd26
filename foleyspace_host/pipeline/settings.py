"""What a user chooses for each stage, checked when it is made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.camera import DEFAULT_HFOV_DEG, Camera
from foleyspace_host.render.options import RenderOptions

__all__ = ["BED_RANGE_DB", "LocalizeSettings", "RenderSettings", "plain"]

BED_RANGE_DB = (-120.0, 24.0)


@dataclass(frozen=True, slots=True)
class LocalizeSettings:
    """How the source is found.

    Parameters
    ----------
    label : str, optional
        Class to follow; the most prominent object if not given.
    hfov_deg : float
        Field of view over the longer side of the picture, 1 to 179 [deg].
    detector : Path, optional
        ONNX file used instead of the shipped detector.

    Raises
    ------
    InvalidInput
        If the field of view is out of range or the label is empty.
    """

    label: str | None = None
    hfov_deg: float = DEFAULT_HFOV_DEG
    detector: Path | None = None

    def __post_init__(self) -> None:
        Camera(1, 1, self.hfov_deg)
        if self.label is not None and not self.label.strip():
            raise InvalidInput("the label is empty", where="label", cure="name a class, for example car")


@dataclass(frozen=True, slots=True)
class RenderSettings(RenderOptions):
    """How the sound is rendered: the renderer's options, and what goes with them.

    Parameters
    ----------
    distance_gain, propagation, spread
        As for `RenderOptions`.
    hrtf : Path, optional
        SOFA file; the shipped KEMAR set if not given.
    bed_db : float, optional
        Level at which the original stereo sound is kept under the point source, -120 to 24 [dB]; not kept if
        not given.

    Raises
    ------
    InvalidInput
        If a number is out of range or a choice is unknown.
    """

    hrtf: Path | None = None
    bed_db: float | None = None

    def __post_init__(self) -> None:
        RenderOptions.__post_init__(self)  # slots and the short form of super() do not go together
        low, high = BED_RANGE_DB
        if self.bed_db is not None and not low <= self.bed_db <= high:
            raise InvalidInput(f"{self.bed_db:g} dB is out of range", where="bed", cure=f"give {low:g} to {high:g} dB")


def plain(*settings: LocalizeSettings | RenderSettings) -> dict[str, object]:
    """Return settings as one dictionary of plain values, for results.

    Parameters
    ----------
    *settings : LocalizeSettings or RenderSettings
        Settings with different fields.

    Returns
    -------
    dict
        Each field; paths as strings.
    """
    fields = {name: value for one in settings for name, value in asdict(one).items()}
    return {name: str(value) if isinstance(value, Path) else value for name, value in fields.items()}
