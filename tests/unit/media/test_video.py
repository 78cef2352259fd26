from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from foleyspace_host.errors import InvalidInput, MediaDamaged, MediaMissing, NoVideo
from foleyspace_host.media.probe import probe
from foleyspace_host.media.video import read_frames

NAMES = {(255, 0, 0): "R", (0, 255, 0): "G", (0, 0, 255): "B", (255, 255, 255): "W"}


def quarters(image: np.ndarray) -> str:
    """Colours of the quarters, by rows: "RGBW" is the upright test picture."""
    height, width = image.shape[:2]
    points = [(y, x) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    colours = list(NAMES)
    nearest = [min(colours, key=lambda c: np.abs(image[p].astype(int) - c).sum()) for p in points]
    return "".join(NAMES[c] for c in nearest)


@pytest.mark.parametrize(
    ("matrix", "shown", "rotation_deg"),
    [
        ((1, 0, 0, 1), "RGBW", 0),
        ((0, 1, -1, 0), "BRWG", 270),  # a telephone held upright: the stored top is shown on the right
        ((-1, 0, 0, -1), "WBGR", 180),
        ((0, -1, 1, 0), "GWRB", 90),
        ((-1, 0, 0, 1), "GRWB", 0),  # mirrored, as front cameras do
        ((0, 1, 1, 0), "RBGW", 270),  # turned and mirrored
    ],
)
def test_display_matrix(make_video, corner_picture, turn, matrix, shown, rotation_deg):
    video = turn(make_video("in.mp4", n_frames=3, picture=corner_picture(64, 48)), matrix)
    size = (48, 64) if matrix[0] == 0 else (64, 48)
    stream = probe(video).video
    assert (stream.width, stream.height, stream.rotation_deg) == (*size, rotation_deg)
    for frame in read_frames(video):
        assert frame.image.shape == (size[1], size[0], 3)
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
        assert quarters(frame.image) == shown
    small = next(read_frames(video, max_side_px=32)).image
    assert max(small.shape[:2]) == 32
    assert quarters(small) == shown


@pytest.mark.parametrize(("aspect", "width"), [(Fraction(4, 3), 85), (Fraction(1, 2), 32), (Fraction(16, 11), 93)])
def test_pixels_become_square(make_video, aspect, width):
    # a disc that is as wide as high on the display is an ellipse in storage
    rows, columns = np.mgrid[:48, :64]
    ellipse = ((columns - 31.5) * float(aspect)) ** 2 + (rows - 23.5) ** 2 < 12**2
    picture = np.repeat((ellipse[..., None] * 255).astype(np.uint8), 3, axis=2)
    video = make_video("in.mp4", n_frames=2, picture=picture, sample_aspect=aspect)
    stream = probe(video).video
    assert (stream.width, stream.height, stream.sample_aspect) == (width, 48, aspect)
    image = next(read_frames(video)).image
    assert image.shape == (48, width, 3)
    inside = image[..., 1] > 128
    assert inside.any(axis=0).sum() == pytest.approx(24, abs=2)
    assert inside.any(axis=1).sum() == pytest.approx(24, abs=2)


def test_aspect_and_turn_together(make_video, turn, corner_picture):
    video = make_video("in.mp4", n_frames=2, picture=corner_picture(64, 48), sample_aspect=Fraction(4, 3))
    turn(video, (0, 1, -1, 0))
    image = next(read_frames(video)).image
    assert image.shape == (85, 48, 3)
    assert quarters(image) == "BRWG"


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("fps", [Fraction(24_000, 1001), 25, 60])
def test_times_are_in_order_and_exact(make_video, b_frames, fps):
    video = make_video("in.mp4", n_frames=30, fps=fps, b_frames=b_frames, flash=13)
    frames = list(read_frames(video))
    assert [f.t_s for f in frames] == pytest.approx([k / float(fps) for k in range(30)], abs=1e-9)
    assert [k for k, f in enumerate(frames) if f.image.mean() > 128] == [13]
    stream = probe(video).video
    assert stream.frame_rate == pytest.approx(fps)
    assert float(stream.duration_s) == pytest.approx(30 / float(fps), abs=1e-3)


def test_sampling_by_time_of_a_varying_rate(make_video):
    # a telephone in the dark: 30 frames per second, then 10, then a pause, then 60
    steps = [Fraction(1, 30)] * 30 + [Fraction(1, 10)] * 10 + [Fraction(3, 2)] + [Fraction(1, 60)] * 60
    times_s = [sum(steps[:k], Fraction(0)) for k in range(len(steps) + 1)]
    video = make_video("vfr.mp4", n_frames=len(times_s), times_s=times_s, time_base=Fraction(1, 12_000))
    assert [f.t_s for f in read_frames(video)] == pytest.approx([float(t) for t in times_s], abs=1e-4)
    sampled = [f.t_s for f in read_frames(video, rate_hz=10)]
    expected = []
    for tenth in range(46):
        later = [float(t) for t in times_s if t >= Fraction(tenth, 10) - Fraction(1, 10_000)]
        if later and later[0] not in expected:
            expected.append(later[0])
    assert sampled == pytest.approx(expected, abs=1e-4)
    steps_s = np.diff(sampled)
    assert steps_s.min() > 0.05
    assert len(list(read_frames(video, rate_hz=1000))) == len(times_s)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts"])
def test_even_sampling_whatever_the_container(make_video, name):
    video = make_video(name, n_frames=60, fps=30, b_frames=2)
    for rate_hz, every in ((10, 3), (15, 2), (30, 1), (5, 6)):
        times_s = [f.t_s for f in read_frames(video, rate_hz=rate_hz)]
        assert times_s == pytest.approx([k / 30 for k in range(0, 60, every)], abs=2e-3)


def test_scaling_down_never_up(make_video, corner_picture):
    video = make_video("in.mp4", n_frames=2, picture=corner_picture(64, 48))
    assert next(read_frames(video, max_side_px=32)).image.shape == (24, 32, 3)
    assert next(read_frames(video, max_side_px=1)).image.shape == (1, 1, 3)
    assert next(read_frames(video, max_side_px=500)).image.shape == (48, 64, 3)


def test_stopping_early_closes_the_file(make_video):
    frames = read_frames(make_video("in.mp4", n_frames=50))
    next(frames)
    frames.close()


def test_errors(make_video, tmp_path):
    video = make_video("in.mp4", n_frames=2)
    sound = make_video("s.mp4", video=False, audio=np.zeros((2, 4800), np.float32))
    (tmp_path / "junk.mp4").write_bytes(b"junk" * 100)
    for path, kind in [
        (sound, NoVideo),
        (tmp_path / "junk.mp4", MediaDamaged),
        (tmp_path / "x.mp4", MediaMissing),
    ]:
        with pytest.raises(kind) as caught:
            list(read_frames(path))
        assert caught.value.where == str(path)
        assert caught.value.cure
    for wrong in ({"rate_hz": 0}, {"rate_hz": -1}, {"rate_hz": float("nan")}, {"max_side_px": 0}):
        with pytest.raises(InvalidInput):
            read_frames(video, **wrong)
    assert probe(sound).kind == "audio"


def test_pictures_are_let_go_at_once(tmp_path):
    """No picture waits for the garbage collection: of large ones that would be hundreds of megabytes."""
    import gc
    import weakref

    import av

    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * index, np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    gc.collect()
    gc.disable()
    try:
        kept = []
        for frame in read_frames(path, rate_hz=8):
            kept += [weakref.ref(passed) for passed in frame.passed]
        del frame
        before = sum(isinstance(one, av.VideoFrame) for one in gc.get_objects())
    finally:
        gc.enable()
    assert len(kept) > 20
    assert not any(reference() for reference in kept)
    assert before <= 1
