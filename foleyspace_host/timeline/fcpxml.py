"""FCPXML with exact times: the adapter of OpenTimelineIO counts 29.97 frames a second as 29, and cuts fractions off."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

__all__ = ["read_fcpxml"]


def read_fcpxml(text: str) -> Any:
    """Read FCPXML through the adapter, with its times counted anew.

    Parameters
    ----------
    text : str
        The content of the file.

    Returns
    -------
    object
        What the adapter reads: a timeline, or a collection. Times are whole frames of the format that they are in;
        what lies between two frames goes to the nearer one.

    Raises
    ------
    Exception
        Whatever the adapter raises.
    """
    from opentimelineio.opentime import RationalTime, TimeRange
    from otio_fcpx_xml_adapter.fcpx_xml import FcpxXml

    class Exact(FcpxXml):  # type: ignore[misc]  # no types are there
        """Counts in exact fractions."""

        def _rate(self, format_id: str) -> Fraction:
            total, rate = self._format_frame_duration(format_id)
            return Fraction(rate) / Fraction(total)

        def _format_frame_rate(self, format_id: str) -> float:
            return float(self._rate(format_id))

        def _number_of_frames(self, value: str | None, format_id: str) -> int:
            return floor(_seconds(value) * self._rate(format_id) + Fraction(1, 2))

        def _time(self, value: str | None, format_id: str) -> Any:
            return RationalTime(self._number_of_frames(value, format_id), self._format_frame_rate(format_id))

        def _time_range(self, element: Any, format_id: str) -> Any:
            return TimeRange(*(self._time(element.get(name), format_id) for name in ("start", "duration")))

        def _reference_from_id(self, asset_id: str, default_format: str) -> Any:
            reference = super()._reference_from_id(asset_id, default_format)
            asset = self._asset_by_id(asset_id)
            if asset.get("src", ""):
                reference.available_range = self._time_range(asset, asset.get("format", default_format))
            return reference

    return Exact(text).to_otio()


def _seconds(value: str | None) -> Fraction:
    """Return a time such as ``1001/30000s``."""
    return Fraction((value or "0s").strip().removesuffix("s") or 0)
