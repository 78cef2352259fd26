"""What a user chooses for each stage, checked when it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.camera import DEFAULT_HFOV_DEG, Camera
from foleyspace_host.pipeline.dry import Channels
from foleyspace_host.render.channels import DEFAULT_ANGLE_DEG, channel_angles_deg
from foleyspace_host.render.formats import check_ears
from foleyspace_host.render.options import RenderKeywords, RenderOptions

__all__ = ["BED_RANGE_DB", "BitDepth", "LocalizeSettings", "RenderSettings", "SoundKeywords", "plain"]

BED_RANGE_DB = (-120.0, 24.0)

BitDepth = Literal["16", "24", "float"]


class SoundKeywords(RenderKeywords, total=False):
    """How to render, and which sound to make of it, as keywords; see `RenderSettings`."""

    channels: Channels
    channel_angle_deg: float
    bit_depth: BitDepth | None
    time_reference: int | None


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
    prompt : str, optional
        Words for the sound; where no label is given, things that they name are taken before others.
    source : tuple of str
        Sources that sound, by their ids; the likeliest if there are none.
    depth : str, optional
        Depth model by file or name, or "none"; the one added last if not given.
    depth_kind : str, optional
        What the depth model is; as it was added, or told by its inputs and outputs, if not given.
    open_vocabulary : str, optional
        Model that is told in words what to look for, by file or name, or "none"; if not given, the one added last,
        where the label is not the name of a class.

    Raises
    ------
    InvalidInput
        If the field of view is out of range or the label is empty.
    """

    label: str | None = None
    hfov_deg: float = DEFAULT_HFOV_DEG
    detector: Path | None = None
    prompt: str | None = None
    source: tuple[str, ...] = ()
    depth: str | None = None
    depth_kind: str | None = None
    open_vocabulary: str | None = None

    def __post_init__(self) -> None:
        Camera(1, 1, self.hfov_deg)
        if self.label is not None and not self.label.strip():
            raise InvalidInput("the label is empty", where="label", cure="name a class, for example car")
        if self.prompt is not None and not self.prompt.strip():
            raise InvalidInput("the prompt is empty", where="prompt", cure="leave it out, or say what sounds")

    @classmethod
    def of(
        cls,
        *,
        label: str | None,
        hfov_deg: float,
        detector: str | Path | None,
        prompt: str | None,
        source: Sequence[str],
        depth: str | Path | None,
        depth_kind: str | None,
        open_vocabulary: str | Path | None,
    ) -> LocalizeSettings:
        """Return the settings that the keywords of the pipeline mean."""
        return cls(
            label=label,
            hfov_deg=hfov_deg,
            detector=None if detector is None else Path(detector),
            prompt=prompt,
            source=tuple(source),
            depth=None if depth is None else str(depth),
            depth_kind=depth_kind,
            open_vocabulary=None if open_vocabulary is None else str(open_vocabulary),
        )


@dataclass(frozen=True, slots=True)
class RenderSettings(RenderOptions):
    """How the sound is rendered: the renderer's options, and what goes with them.

    Parameters
    ----------
    distance_gain, propagation, spread, air, format, room, renderer, quality, seed, listener, flow_model
        As for `RenderOptions`.
    hrtf : Path, optional
        SOFA file; the shipped KEMAR set if not given. For binaural alone.
    bed_db : float, optional
        Level at which the original stereo sound is kept under the point source, -120 to 24 [dB]; not kept if
        not given.
    channels : {"mono", "spread"}
        Whether the channels of the sound are summed, or placed side by side; see `channel_angles_deg`.
    channel_angle_deg : float
        Angle of the left channel to the source's direction, 0 to 180 [deg].
    bit_depth : {"16", "24", "float"}, optional
        Coding of sound files. If not given, 24 for FLAC and for the sound of a video, float for other WAV.
    time_reference : int, optional
        Samples since midnight at which the sound starts; that of a Broadcast Wave file that is placed if not
        given. For WAV.

    Raises
    ------
    InvalidInput
        If a number is out of range or a choice is unknown.
    """

    hrtf: Path | None = None
    bed_db: float | None = None
    channels: Channels = "mono"
    channel_angle_deg: float = DEFAULT_ANGLE_DEG
    bit_depth: BitDepth | None = None
    time_reference: int | None = None

    def __post_init__(self) -> None:
        RenderOptions.__post_init__(self)  # slots and the short form of super() do not go together
        check_ears(self.format, self.hrtf)
        channel_angles_deg(2, self.channel_angle_deg)
        for name, value, choices in (
            ("channels", self.channels, get_args(Channels)),
            ("bit depth", self.bit_depth, (None, *get_args(BitDepth))),
        ):
            if value not in choices:
                wanted = ", ".join(choice for choice in choices if choice)
                raise InvalidInput(f"{value!r} is unknown", where=name, cure=f"use one of: {wanted}")
        if self.channels == "spread" and self.renderer == "diffusion":
            raise InvalidInput(
                "the diffusion renderer places one channel", where="channels", cure="use mono, or --renderer hrtf"
            )
        if self.time_reference is not None and not 0 <= self.time_reference < 1 << 63:
            raise InvalidInput(f"{self.time_reference} is no number of samples", where="time reference")
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
