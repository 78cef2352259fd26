from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from timelines import clip, marker, media, span, timeline, track, write

from foleyspace_host.errors import OutputUnwritable
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Key, Source
from foleyspace_host.geometry.trajectory_file import loads_csv, read_trajectory
from foleyspace_host.timeline import export
from foleyspace_host.timeline.export import csv_text
from foleyspace_host.timeline.run import spatialize_timeline

keys = st.lists(
    st.tuples(st.integers(0, 10_000), st.floats(-180, 180), st.floats(-90, 90), st.floats(0.3, 50), st.booleans()),
    min_size=1,
    max_size=20,
    unique_by=lambda key: key[0],
)


@given(keys)
def test_what_is_read_back_is_the_same_path(parts: list) -> None:
    source = Source("s", tuple(Key(t / 100, *place, cut=cut) for t, *place, cut in sorted(parts)))
    back = loads_csv(csv_text(source)).sources[0]
    assert {key.t_s for key in source.keys} <= {key.t_s for key in back.keys}
    assert export._says(source, csv_text(source))
    times = np.array([key.t_s for key in source.keys])
    times = np.concatenate([times, (times[1:] + times[:-1]) / 2])
    for one, two in zip(
        SourcePath.from_source(source).sample(times), SourcePath.from_source(back).sample(times), strict=True
    ):
        np.testing.assert_allclose(one, two, atol=1e-4, rtol=1e-4)


def test_every_rendered_clip_has_a_file(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(48_000, 0.1), 48_000)
    one = clip("a", span(0, 24), media("a.wav"), markers=[marker("foleyspace: az=30 el=10 dist=2", 0)])
    source = write(tmp_path / "in.otio", timeline(track(one)))
    spatialize_timeline(source, tmp_path / "out.otio", trajectories=tmp_path / "csv")
    (path,) = (tmp_path / "csv").iterdir()
    (key,) = read_trajectory(path).sources[0].keys
    assert (key.azimuth_deg, key.elevation_deg, key.distance_m) == (pytest.approx(30), 10, 2)


def test_a_file_that_reads_differently_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(48_000, 0.1), 48_000)
    one = clip("a", span(0, 24), media("a.wav"), markers=[marker("foleyspace: az=30 el=10 dist=2", 0)])
    source = write(tmp_path / "in.otio", timeline(track(one)))
    monkeypatch.setattr(
        export, "csv_text", lambda _source: "t_s,azimuth_deg,elevation_deg,distance_m\n0.0,31.0,10.0,2.0\n"
    )
    with pytest.raises(OutputUnwritable, match="reads differently"):
        spatialize_timeline(source, tmp_path / "out.otio", trajectories=tmp_path / "csv")
    assert not list((tmp_path / "csv").iterdir())
