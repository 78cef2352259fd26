"""The formats that can be rendered: their channels, in order, and what files say about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from foleyspace_host.errors import InvalidInput

__all__ = ["FORMAT_NAMES", "FormatName", "OutputFormat", "check_ears", "find_format"]

FormatName = Literal["binaural", "foa", "hoa2", "hoa3", "stereo", "5.1", "7.1.4"]

FORMAT_NAMES: tuple[FormatName, ...] = get_args(FormatName)
"""Names of all formats, as ``--format`` takes them."""

_ACN = ("W", "Y", "Z", "X", "V", "T", "R", "S", "U", "Q", "O", "M", "K", "L", "N", "P")

# Bits of dwChannelMask in WAVE_FORMAT_EXTENSIBLE ("Multiple channel audio data and WAVE files", Microsoft 2007)
_SPEAKER_BITS = {
    "L": 0x1,
    "R": 0x2,
    "C": 0x4,
    "LFE": 0x8,
    "Lrs": 0x10,
    "Rrs": 0x20,
    "Ls": 0x200,
    "Rs": 0x400,
    "Ltf": 0x1000,
    "Rtf": 0x4000,
    "Ltr": 0x8000,
    "Rtr": 0x20000,
}
_BED_5_1 = ("L", "R", "C", "LFE", "Ls", "Rs")
_BED_7_1_4 = tuple(_SPEAKER_BITS)


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """What a rendering's channels mean.

    Parameters
    ----------
    name : str
        As ``--format`` takes it.
    channels : tuple of str
        Names of the channels, in the order of arrays and files.
    ambisonic_order : int or None
        1 to 3 for Ambisonics (ACN order, SN3D), else None.
    speaker_mask : int or None
        What a WAV file says about its loudspeakers: their bits in ascending order, as the channels are; 0 for
        channels that are not loudspeakers; None for a plain header of one or two channels.
    """

    name: FormatName
    channels: tuple[str, ...]
    ambisonic_order: int | None = None
    speaker_mask: int | None = None

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.channels)

    @property
    def is_common(self) -> bool:
        """Whether FLAC and the sound tracks of videos have a layout for it; WAV holds them all."""
        return self.ambisonic_order is None and self.n_channels <= 6

    @property
    def loudness_weights(self) -> tuple[float, ...] | None:
        """Factors on the power of the channels in a loudness; of Ambisonics only W counts. None for the usual."""
        return None if self.ambisonic_order is None else (1.0,) + (0.0,) * (self.n_channels - 1)


def _registry() -> dict[str, OutputFormat]:
    ambisonic: tuple[FormatName, ...] = ("foa", "hoa2", "hoa3")
    formats = [
        OutputFormat("binaural", ("left ear", "right ear")),
        *(OutputFormat(name, _ACN[: (n + 1) ** 2], n, 0) for n, name in enumerate(ambisonic, 1)),
        OutputFormat("stereo", ("L", "R")),
        # the usual mask of 5.1, and what AAC decodes to: the surrounds stand on the bits of the back pair
        OutputFormat("5.1", _BED_5_1, None, 0x3F),
        OutputFormat("7.1.4", _BED_7_1_4, None, sum(_SPEAKER_BITS.values())),
    ]
    return {form.name: form for form in formats}


_FORMATS = _registry()


def find_format(name: str) -> OutputFormat:
    """Return a format by its name.

    Parameters
    ----------
    name : str
        One of `FORMAT_NAMES`.

    Returns
    -------
    OutputFormat

    Raises
    ------
    InvalidInput
        If there is no such format.
    """
    if name not in _FORMATS:
        raise InvalidInput(f"{name!r} is unknown", where="format", cure=f"use one of: {', '.join(FORMAT_NAMES)}")
    return _FORMATS[name]


def check_ears(name: str, hrtf: str | Path | None) -> None:
    """Refuse a set of responses where none is used.

    Parameters
    ----------
    name : str
        Format.
    hrtf : path-like or None
        The set asked for.

    Raises
    ------
    InvalidInput
        If there is one and the format is not binaural.
    """
    if hrtf is not None and name != "binaural":
        raise InvalidInput(f"the format {name} uses no HRTF set", where="hrtf", cure="leave it out, or render binaural")
