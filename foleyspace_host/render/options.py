"""How a trajectory is rendered: choices that are the listener's, not the trajectory's."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Literal, TypedDict, get_args

from foleyspace_host.diffusion.listener import Listener, listener_of
from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.trajectory import MAX_EXTENT_DEG
from foleyspace_host.render.air import Air
from foleyspace_host.render.distance import DistanceGain, Propagation
from foleyspace_host.render.formats import FormatName, find_format
from foleyspace_host.render.room.model import RoomModel
from foleyspace_host.render.room.presets import room_of

__all__ = ["N_STEPS", "DistanceGain", "Propagation", "Quality", "RenderKeywords", "RenderOptions", "Renderer"]

Renderer = Literal["hrtf", "diffusion"]
Quality = Literal["dsp", "draft", "fine"]

N_STEPS: dict[Quality, int] = {"dsp": 0, "draft": 1, "fine": 4}
"""Evaluations of the flow model; without one it is not even loaded."""

MAX_SEED = 1 << 53  # what JSON can hold
FLOW_RATE_HZ = 48_000  # diffusion.features.SAMPLE_RATE_HZ, which this module does without to stay cheap to import

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000


def checked_rate(sample_rate_hz: int) -> int:
    """Return a sampling rate that can be rendered.

    Parameters
    ----------
    sample_rate_hz : int
        Sampling rate [Hz].

    Returns
    -------
    int
        The same.

    Raises
    ------
    InvalidInput
        If it is outside 8 to 192 kHz.
    """
    if not MIN_RATE_HZ <= sample_rate_hz <= MAX_RATE_HZ:
        raise InvalidInput(
            f"a sampling rate of {sample_rate_hz} Hz cannot be rendered", where="audio", cure="convert to 8-192 kHz"
        )
    return sample_rate_hz


class RenderKeywords(TypedDict, total=False):
    """The same choices as keywords, for functions that hand them on; see `RenderOptions`."""

    distance_gain: DistanceGain
    propagation: Propagation
    spread: float
    air: Air | None
    format: FormatName
    room: RoomModel | Path | str | None
    extent_deg: float | None
    channel_angles_deg: tuple[float, ...] | None
    renderer: Renderer
    quality: Quality
    seed: int
    listener: Listener | Path | str | None
    flow_model: Path | str | None


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """Choices of a rendering.

    Parameters
    ----------
    distance_gain : {"relative", "physical", "none"}
        ``relative`` (for recorded clips, whose level already holds their distance) is 1/r against the
        path's median distance within +-12 dB; ``physical`` (for dry sound) is 1/r against 1 m.
    propagation : {"none", "doppler", "physical"}
        ``none`` keeps the clip in exact sync; ``doppler`` delays by (r - median r) / c; ``physical`` by r / c.
    spread : float
        Factor on azimuths, 0 to 10; 1 is true geometry.
    air : Air or None
        State of the air that dulls far sources; None for none. It counts from the same distance as the
        law of `distance_gain`, and is left out with ``none``.
    format : {"binaural", "foa", "hoa2", "hoa3", "stereo", "5.1", "7.1.4"}
        What the channels are for; see `OutputFormat`.
    room : RoomModel, path-like, str or None
        What surrounds source and listener, see `room_of`; kept as a model. None leaves the sound dry.
    extent_deg : float, optional
        Width of every source, 0 to 180 [deg]; each source's own if not given.
    channel_angles_deg : tuple of float, optional
        The clip has so many channels, which are heard side by side: each at this angle to the left of the
        source's direction, -180 to 180 [deg]. If not given, the clip has one channel.
    renderer : {"hrtf", "diffusion"}
        ``diffusion`` lets a flow model add to the free field what rooms, width and the listener's own ears do to it;
        see `render.flow`. For binaural alone.
    quality : {"dsp", "draft", "fine"}
        Evaluations of that model: none, which gives the bytes of ``hrtf``, one, or four.
    seed : int
        Of its noise, 0 to 2^53.
    listener : Listener, path-like, optional
        Whose ears it renders for: a file of ``foleyspace listener fit``; kept as a `Listener`. The average listener if
        not given.
    flow_model : path-like, optional
        ONNX file of a flow model instead of the shipped one; kept as a path.

    Raises
    ------
    InvalidInput
        If a choice is unknown or out of range.
    """

    distance_gain: DistanceGain = "relative"
    propagation: Propagation = "none"
    spread: float = 1.0
    air: Air | None = field(default_factory=Air)
    format: FormatName = "binaural"
    room: RoomModel | Path | str | None = None
    extent_deg: float | None = None
    channel_angles_deg: tuple[float, ...] | None = None
    renderer: Renderer = "hrtf"
    quality: Quality = "draft"
    seed: int = 0
    listener: Listener | Path | str | None = None
    flow_model: Path | str | None = None

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("distance_gain", self.distance_gain, get_args(DistanceGain)),
            ("propagation", self.propagation, get_args(Propagation)),
            ("renderer", self.renderer, get_args(Renderer)),
            ("quality", self.quality, get_args(Quality)),
        ):
            if value not in choices:
                raise InvalidInput(f"{value!r} is unknown", where=name, cure=f"use one of: {', '.join(choices)}")
        if not (isfinite(self.spread) and 0.0 <= self.spread <= 10.0):
            raise InvalidInput(f"{self.spread} is outside 0 to 10", where="spread", cure="use 1 for true geometry")
        if self.extent_deg is not None and not 0.0 <= self.extent_deg <= MAX_EXTENT_DEG:
            raise InvalidInput(f"{self.extent_deg} is outside 0 to 180 degrees", where="extent")
        if self.channel_angles_deg is not None:
            object.__setattr__(self, "channel_angles_deg", tuple(self.channel_angles_deg))
            if not self.channel_angles_deg or not all(-180.0 <= angle <= 180.0 for angle in self.channel_angles_deg):
                raise InvalidInput(
                    f"{self.channel_angles_deg} are not angles of -180 to 180 degrees, one for each channel",
                    where="channel angles",
                )
        find_format(self.format)
        object.__setattr__(self, "room", room_of(self.room))
        if not 0 <= self.seed <= MAX_SEED:
            raise InvalidInput(f"{self.seed} is outside 0 to {MAX_SEED}", where="seed")
        object.__setattr__(self, "listener", listener_of(self.listener))
        if self.flow_model is not None:
            object.__setattr__(self, "flow_model", Path(self.flow_model))
        if self.renderer == "diffusion":
            if self.format != "binaural":
                raise InvalidInput(
                    f"the diffusion renderer makes binaural sound, not {self.format}", where="renderer", cure="use hrtf"
                )
            if self.channel_angles_deg is not None:
                raise InvalidInput(
                    "the diffusion renderer places one channel", where="channels", cure="use mono, or --renderer hrtf"
                )

    @property
    def n_steps(self) -> int:
        """Evaluations of the flow model that this asks for."""
        return N_STEPS[self.quality] if self.renderer == "diffusion" else 0

    @property
    def model_files(self) -> tuple[Path, ...]:
        """Files of the user's that models are read from."""
        return () if self.flow_model is None else (Path(self.flow_model),)

    def hrtf_rate_hz(self, sample_rate_hz: int) -> int:
        """Return the rate at which the head's responses are needed for a clip at this rate [Hz]."""
        return FLOW_RATE_HZ if self.n_steps else sample_rate_hz
