from __future__ import annotations

import json

import av
import numpy as np
import pytest
import soundfile

from foleyspace_host.media.audio import open_audio, read_audio
from foleyspace_host.media.mux import mux_audio
from foleyspace_host.media.probe import probe
from foleyspace_host.media.video import read_frames

pytestmark = pytest.mark.shared
CLIPS = [
    "fc_avs0.mp4",
    "fc_avs1.mp4",
    "fs_horse.mp4",
    "fs_kettle.mp4",
    "fs_runner.mp4",
    "fs_sports_car.mp4",
    "fs_steam_train.mp4",
    "fs_trumpet.mp4",
]


@pytest.mark.parametrize("name", CLIPS)
def test_probe_and_decode(shared_dir, name):
    path = shared_dir / "data" / "video" / name
    info = probe(path)
    assert info.kind == "video"
    source = open_audio(path)
    assert source.n_samples / source.sample_rate_hz == pytest.approx(float(info.duration_s), abs=0.06)
    times_s = [f.t_s for f in read_frames(path, rate_hz=2, max_side_px=128)]
    assert times_s[0] == pytest.approx(0, abs=0.05)
    assert len(times_s) == pytest.approx(2 * float(info.duration_s), abs=1.5)
    assert json.loads((path.parent / "labels.json").read_text())


def test_video_without_sound(shared_dir):
    info = probe(shared_dir / "data" / "video" / "vtest.avi")
    assert (info.audio, info.video.width, info.video.height) == (None, 768, 576)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_mux_keeps_every_packet(shared_dir, tmp_path, suffix):
    path = shared_dir / "data" / "video" / "fs_horse.mp4"
    mono, rate_hz = read_audio(path)
    soundfile.write(tmp_path / "a.wav", np.repeat(mono, 2, axis=0).T * 0.5, rate_hz, "FLOAT")
    mux_audio(path, tmp_path / "a.wav", tmp_path / f"o{suffix}")

    def packets(file):
        with av.open(str(file)) as container:
            return [(bytes(p), float(p.pts * p.time_base)) for p in container.demux(video=0) if p.size]

    before, after = packets(path), packets(tmp_path / f"o{suffix}")
    assert [p[0] for p in before] == [p[0] for p in after]
    assert [p[1] for p in before] == pytest.approx([p[1] for p in after], abs=1e-3)
    stereo, _ = read_audio(tmp_path / f"o{suffix}")
    assert stereo.shape == (2, mono.shape[1])
    lag = np.argmax(np.correlate(stereo[0, 99_000:101_000], mono[0, 99_500:100_500], "valid"))
    assert abs(int(lag) - 500) <= 1
