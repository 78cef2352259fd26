"""The set of responses that the renderer reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.mesh import DirectionMesh

__all__ = ["Hrtf"]


@dataclass(frozen=True, slots=True, eq=False)  # identity: what is derived from a set is cached by it
class Hrtf:
    """Head-related transfer functions on a dense mesh of directions, at one sampling rate.

    Parameters
    ----------
    name : str
        What was measured, for people.
    sample_rate_hz : int
        Sampling rate [Hz].
    mesh : DirectionMesh
        Directions of the vertices.
    responses : ndarray, float32, shape (n_vertices, 2, n_taps)
        Responses, left ear first, whose onsets all lie at `pre_roll_samples`; scaled so that the power
        averaged over all directions and both ears is 0 dB.
    delay_samples : ndarray, float64, shape (n_vertices, 2)
        Travel time to each ear re the mean over all directions [samples]; the left is the smaller for
        sources on the left.
    pre_roll_samples : int
        Delay inside the responses [samples].
    gain_db : float
        What was added to the measured level to reach 0 dB [dB].
    onset_estimator : str
        How the travel times were found; see `onset`.
    """

    name: str
    sample_rate_hz: int
    mesh: DirectionMesh
    responses: NDArray[np.float32]
    delay_samples: NDArray[np.float64]
    pre_roll_samples: int
    gain_db: float
    onset_estimator: str

    @property
    def n_taps(self) -> int:
        """Length of the responses [samples]."""
        return int(self.responses.shape[-1])

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as named arrays."""
        return {
            "name": np.array(self.name),
            "sample_rate_hz": np.array(self.sample_rate_hz),
            "unit": self.mesh.unit,
            "triangles": self.mesh.triangles,
            "neighbours": self.mesh.neighbours,
            "responses": self.responses,
            "delay_samples": self.delay_samples,
            "pre_roll_samples": np.array(self.pre_roll_samples),
            "gain_db": np.array(self.gain_db),
            "onset_estimator": np.array(self.onset_estimator),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Hrtf:
        """Return the set that `to_arrays` took apart.

        Raises
        ------
        KeyError, ValueError, TypeError
            If arrays are missing, or not of the shapes and types of a set.
        """
        responses, delay = arrays["responses"], arrays["delay_samples"]
        unit, triangles, neighbours = arrays["unit"], arrays["triangles"], arrays["neighbours"]
        n, n_triangles = len(unit), len(triangles)
        if [array.shape for array in (unit, triangles, neighbours, delay)] != [
            (n, 3),
            (n_triangles, 3),
            (n_triangles, 3),
            (n, 2),
        ] or responses.shape[:2] != (n, 2):
            raise ValueError("shapes do not fit")
        if [array.dtype.str for array in (unit, triangles, neighbours, responses, delay)] != [
            np.dtype(kind).str for kind in (np.float64, np.int32, np.int32, np.float32, np.float64)
        ]:
            raise ValueError("types do not fit")
        for corners, bound in ((triangles, n), (neighbours, n_triangles)):
            if corners.min() < 0 or corners.max() >= bound:
                raise ValueError("indices do not fit")  # compiled loops would read beyond the arrays
        return cls(
            name=str(arrays["name"]),
            sample_rate_hz=int(arrays["sample_rate_hz"]),
            mesh=DirectionMesh.of(unit, triangles, neighbours),
            responses=responses,
            delay_samples=delay,
            pre_roll_samples=int(arrays["pre_roll_samples"]),
            gain_db=float(arrays["gain_db"]),
            onset_estimator=str(arrays["onset_estimator"]),
        )
