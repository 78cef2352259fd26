"""The page as a file: whole, inert where it holds data, and asking for nothing."""

from __future__ import annotations

import base64
import json
import re
from contextlib import ExitStack
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.errors import Cancelled, InvalidInput
from foleyspace_host.geometry.boxes import BoxSizes
from foleyspace_host.geometry.camera import Camera
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.geometry.trajectory_file import dumps, loads
from foleyspace_host.media.audio import open_audio
from foleyspace_host.media.probe import probe
from foleyspace_host.media.proxy import proxy_size
from foleyspace_host.media.video import read_frames
from foleyspace_host.report.page import SCRIPTS, check_embed_limit, page_pieces, save_name, write_report
from foleyspace_host.report.picture import Picture, beside
from foleyspace_host.report.waveform import read_waveform

RATE_HZ = 48_000
FACTS = {"title": "a.mp4", "sizes": {}}


class Reader(HTMLParser):
    """What an HTML parser makes of a page: the scripts by their ids, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.title = ""
        self._id: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]
        if tag == "script":
            self._id = str(given.get("id") or "program")
            self.scripts[self._id] = ""
        if tag not in ("meta", "link", "input", "path", "use", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "script":
            self._id = None

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self._id is not None:
            self.scripts[self._id] += data
        elif self.open and self.open[-1] == "title":
            self.title += data


def page_text(facts: dict[str, Any], shown: Trajectory, picture: Picture) -> str:
    return "".join(page_pieces(facts, shown, picture))


def parsed(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def clip(
    path: Path, *, size: tuple[int, int] = (64, 48), seconds: float = 1.0, codec: str = "libx264", sound: int = 1
) -> Path:
    with av.open(str(path), "w") as output:
        picture = output.add_stream(codec, rate=25)
        picture.width, picture.height, picture.pix_fmt = *size, "yuv420p"
        streams: list[Any] = [picture]
        if sound:
            streams.append(output.add_stream("aac", rate=RATE_HZ))
            streams[1].codec_context.layout = {1: "mono", 2: "stereo"}[sound]
        for _ in range(round(25 * seconds)):
            image = np.full((size[1], size[0], 3), 30, np.uint8)
            image[: size[1] // 2, : size[0] // 2] = 220  # bright at the top left
            output.mux(picture.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        if sound:
            tone = 0.3 * np.sin(np.arange(round(RATE_HZ * seconds)) * 2 * np.pi * 440 / RATE_HZ)
            tone[: len(tone) // 2] = 0.0  # heard in the second half alone
            for start in range(0, len(tone), 1024):
                piece = np.repeat(tone[None, start : start + 1024], sound, axis=0).astype(np.float32)
                frame = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(piece), "fltp", "mono" if sound == 1 else "stereo"
                )
                frame.sample_rate, frame.pts = RATE_HZ, start
                output.mux(streams[1].encode(frame))
        for stream in streams:
            output.mux(stream.encode(None))
    return path


def trajectory(camera: Camera | None = None, seconds: float = 1.0) -> Trajectory:
    return Trajectory(seconds, (Source("a-1", (Key(0.0, 5.0), Key(seconds, -5.0)), "a"),), camera)


def written(page: Path, video: Path, **more: Any) -> Reader:
    arguments = {"sizes": {}, "save_as": "a.edited.json", "embed_mb": 64.0} | more
    with ExitStack() as files:
        write_report(files, page, page, video, arguments.pop("trajectory", trajectory()), **arguments)
    return parsed(page.read_text(encoding="utf-8"))


@given(st.text(max_size=60))
def test_any_label_survives_and_stays_data(label: str) -> None:
    label = label.encode("utf-8", "ignore").decode()
    own = Trajectory(1.0, (Source("</script><script>", (Key(0.0, 1.0),), label),))
    reader = parsed(page_text({**FACTS, "title": f"</title>{label}.mp4"}, own, Picture("linked", href="./a.mp4")))
    assert loads(reader.scripts["trajectory"]) == loads(dumps(own))
    assert json.loads(reader.scripts["facts"])["title"] == f"</title>{label}.mp4"
    assert set(reader.scripts) == {"facts", "trajectory", "video-data", "program"}
    for name in ("facts", "trajectory"):
        assert not set("<>&") & set(reader.scripts[name])


def test_braces_in_data_are_no_places_to_fill() -> None:
    own = Trajectory(1.0, (Source("{{video}}", (Key(0.0, 1.0),), "{{script}}"),))
    reader = parsed(page_text(FACTS, own, Picture("embedded", data=b"xyz")))
    assert loads(reader.scripts["trajectory"]).sources[0].label == "{{script}}"
    assert base64.b64decode(reader.scripts["video-data"]) == b"xyz"


@pytest.mark.parametrize("n_bytes", [0, 1, (3 << 18) - 1, 3 << 18, (3 << 18) + 1, 2_000_000])
def test_a_video_of_any_length_is_inside_whole(n_bytes: int) -> None:
    data = np.random.default_rng(1).bytes(n_bytes)
    inside = parsed(page_text(FACTS, trajectory(), Picture("embedded", data=data))).scripts["video-data"]
    assert base64.b64decode(inside, validate=True) == data


def test_the_page_asks_for_nothing_outside() -> None:
    text = page_text(FACTS, trajectory(), Picture("embedded", data=b"xyz"))
    reader = parsed(text)
    assert all(address.startswith(("#", "data:")) for address in reader.addresses), reader.addresses
    assert "://" not in text
    assert "default-src 'none'" in text
    assert not re.search(r"@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket|import\(|\beval\(|innerHTML", text)


def test_every_part_of_the_program_is_inside_and_there_is_no_other() -> None:
    from importlib.resources import files

    assets = files("foleyspace_host.report").joinpath("assets")
    assert sorted(SCRIPTS) == sorted(node.name for node in assets.iterdir() if node.name.endswith(".js"))
    program = parsed(page_text(FACTS, trajectory(), Picture("linked"))).scripts["program"]
    for name in SCRIPTS:
        assert assets.joinpath(name).read_text(encoding="utf-8") in program


def test_a_small_video_is_inside(tmp_path: Path) -> None:
    video = clip(tmp_path / "a.mp4", size=(64, 48), sound=2)
    sizes = {"a-1": BoxSizes(np.array([0.5]), np.array([0.25]), np.array([0.123456]))}
    own = trajectory(Camera(64, 48, 70.0))
    reader = written(tmp_path / "r.html", video, sizes=sizes, trajectory=own)
    facts = json.loads(reader.scripts["facts"])
    assert facts["video"] == {"kind": "embedded", "href": "", "width": 64, "height": 48}
    assert facts["camera"] == {"hfov_deg": 70.0, "width": 64, "height": 48}
    assert facts["sizes"] == {"a-1": {"t_s": [0.5], "width": [0.25], "height": [0.1235]}}
    assert (facts["title"], facts["save_as"], facts["frame_rate_hz"]) == ("a.mp4", "a.edited.json", 25.0)
    assert loads(reader.scripts["trajectory"]) == loads(dumps(own))
    proxy = tmp_path / "proxy.webm"
    proxy.write_bytes(base64.b64decode(reader.scripts["video-data"]))
    info = probe(proxy)
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.codec, info.video.width, info.video.height) == ("vp9", 64, 48)
    assert (info.audio.codec, info.audio.n_channels) == ("opus", 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "proxy.webm", "r.html"]


def test_the_proxy_keeps_times_picture_and_sound(tmp_path: Path) -> None:
    video = clip(tmp_path / "a.mp4", seconds=2.0)
    reader = written(tmp_path / "r.html", video, trajectory=trajectory(seconds=2.0))
    proxy = tmp_path / "proxy.webm"
    proxy.write_bytes(base64.b64decode(reader.scripts["video-data"]))
    before, after = list(read_frames(video)), list(read_frames(proxy))
    assert [frame.t_s for frame in after] == pytest.approx([frame.t_s for frame in before], abs=0.0011)
    assert np.abs(after[20].image.astype(int) - before[20].image.astype(int)).mean() < 6
    samples = np.concatenate(list(open_audio(proxy).blocks()), axis=1)[0]
    assert len(samples) / RATE_HZ == pytest.approx(2.0, abs=0.03)
    assert np.flatnonzero(np.abs(samples) > 0.05)[0] / RATE_HZ == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((3840, 2160), (854, 480)),
        ((1080, 1920), (480, 854)),
        ((720, 576), (600, 480)),
        ((320, 240), (320, 240)),
        ((641, 359), (640, 358)),
        ((1, 1), (2, 2)),
    ],
)
def test_proxies_are_small_even_and_of_the_same_shape(size: tuple[int, int], small: tuple[int, int]) -> None:
    assert proxy_size(*size) == small


def test_of_several_channels_there_is_one_or_two_and_another_sound_can_be_heard(tmp_path: Path) -> None:
    video, other = clip(tmp_path / "a.mp4"), clip(tmp_path / "b.mp4", sound=2)
    reader = written(tmp_path / "r.html", video, sound=other)
    proxy = tmp_path / "proxy.webm"
    proxy.write_bytes(base64.b64decode(reader.scripts["video-data"]))
    audio = probe(proxy).audio
    assert audio is not None
    assert audio.n_channels == 2


def test_a_silent_video_has_a_page_as_well(tmp_path: Path) -> None:
    facts = json.loads(written(tmp_path / "r.html", clip(tmp_path / "a.mp4", sound=0)).scripts["facts"])
    assert (facts["has_sound"], facts["wave"]) == (False, None)


def test_beyond_the_limit_a_video_that_browsers_play_is_linked(tmp_path: Path) -> None:
    folder = tmp_path / "my clips"
    folder.mkdir()
    video = clip(folder / "50% #1?.mp4")
    reader = written(tmp_path / "r.html", video, embed_mb=0.0)
    facts = json.loads(reader.scripts["facts"])
    assert facts["video"]["kind"] == "linked"
    assert facts["video"]["href"] == "./my%20clips/50%25%20%231%3F.mp4"
    assert reader.scripts["video-data"] == ""
    assert not beside(tmp_path / "r.html").exists()


def test_beyond_the_limit_any_other_video_gets_a_proxy_beside_the_page(tmp_path: Path) -> None:
    reader = written(tmp_path / "r #1.html", clip(tmp_path / "a.avi", codec="mpeg4"), embed_mb=0.0)
    facts = json.loads(reader.scripts["facts"])
    assert (facts["video"]["kind"], facts["video"]["href"]) == ("beside", "r%20%231.proxy.webm")
    assert probe(tmp_path / "r #1.proxy.webm").video is not None


def test_what_turns_out_too_large_is_not_embedded(tmp_path: Path) -> None:
    video = tmp_path / "noise.mp4"
    rng = np.random.default_rng(3)
    with av.open(str(video), "w") as output:
        picture = output.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = 320, 240, "yuv420p"
        for _ in range(25):
            image = rng.integers(0, 255, (240, 320, 3), np.uint8)
            output.mux(picture.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        output.mux(picture.encode(None))
    # the lowest rate would fit, noise does not keep to it
    facts = json.loads(written(tmp_path / "r.html", video, embed_mb=0.035).scripts["facts"])
    assert facts["video"]["kind"] == "linked"


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    from foleyspace_host.media.atomic import atomic_output

    def stop(done: int, total: int) -> None:
        if done > 20:
            raise Cancelled("stopped by the user")

    video, page = clip(tmp_path / "a.mp4"), tmp_path / "r.html"

    def write() -> None:
        with ExitStack() as files:
            temporary = files.enter_context(atomic_output(page))
            fixed: dict[str, Any] = {"sizes": {}, "save_as": "a.json", "embed_mb": 64.0}
            write_report(files, temporary, page, video, trajectory(), **fixed, on_progress=stop)

    with pytest.raises(Cancelled):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    seen: list[int] = []
    written(tmp_path / "r.html", clip(tmp_path / "a.mp4"), on_progress=lambda done, total: seen.append(done))
    assert seen == sorted(seen)
    assert 90 <= seen[-1] <= 100


def test_the_waveform_shows_where_the_sound_is(tmp_path: Path) -> None:
    wave = read_waveform(open_audio(clip(tmp_path / "a.mp4", seconds=2.0)), 2.0)
    middle = len(wave.peaks) // 2
    assert len(wave.peaks) / wave.per_s == pytest.approx(2.0, abs=0.03)
    assert wave.peaks[: middle - 10].max() < 10
    assert wave.peaks[middle + 10 : -10].min() > 200
    assert wave.peaks.max() == 255
    assert read_waveform(open_audio(tmp_path / "a.mp4"), 7200.0).per_s == pytest.approx(10.0, rel=0.01)


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("ride.trajectory.json", "ride.edited.trajectory.json"),
        ("T.json", "T.edited.json"),
        ("ride.mp4", "ride.edited.trajectory.json"),
        (".json", ".json.edited.trajectory.json"),
    ],
)
def test_the_corrected_file_has_a_name_of_its_own(name: str, saved: str) -> None:
    assert save_name(Path(name)) == saved


@pytest.mark.parametrize("limit", [-1.0, 1001.0, float("nan"), float("inf")])
def test_impossible_limits_are_refused(limit: float) -> None:
    with pytest.raises(InvalidInput, match="0 to 1000"):
        check_embed_limit(limit)


def test_a_frame_rate_that_is_not_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from foleyspace_host.media.proxy import write_proxy

    video = clip(tmp_path / "a.mp4")
    out = tmp_path / "p.webm"
    times: list[float] = []
    write_proxy(video, out, size=(64, 48), frame_rate=None, bits_per_s=200_000, on_progress=times.append)
    assert len(list(read_frames(out))) == 25
    assert times == sorted(times)
    write_proxy(video, out, size=(64, 48), frame_rate=Fraction(1000), bits_per_s=200_000)
    assert len(list(read_frames(out))) == 25


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "plays"),
    [
        ("a.mp4", "libx264", "yuv420p", True),
        ("a.mp4", "libx264", "yuv422p10le", False),
        ("a.mkv", "libx264", "yuv420p", False),
        ("a.mp4", "mpeg4", "yuv420p", False),
        ("a.webm", "libvpx-vp9", "yuv420p", True),
    ],
)
def test_which_videos_browsers_play(tmp_path: Path, name: str, codec: str, pixels: str, plays: bool) -> None:
    from foleyspace_host.media.proxy import plays_in_browsers

    with av.open(str(tmp_path / name), "w") as output:
        picture = output.add_stream(codec, rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, pixels
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24").reformat(format=pixels)
        output.mux(picture.encode(frame))
        output.mux(picture.encode(None))
    assert plays_in_browsers(tmp_path / name) == plays
