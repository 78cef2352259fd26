"""From a clip whose truth is known to its trajectory, with a detector that finds blocks by colour."""

import math
import threading
import weakref

import numpy as np
import pytest

from foleyspace_host.errors import Cancelled, ModelUnavailable, NothingFound, NoVideo
from foleyspace_host.localize.localizer import SAMPLING_HZ, load_detector, localize

from .conftest import BLUE, RED, ColourDetector


def azimuth_deg(x, width, height, hfov_deg=60.0):
    focal = max(width, height) / 2 / math.tan(math.radians(hfov_deg / 2))
    return math.degrees(math.atan((0.5 - x) * width / focal))


def sampled(source, t_s, field):
    return np.interp(t_s, [key.t_s for key in source.keys], [getattr(key, field) for key in source.keys])


def crossing(t_s):
    return [(0.2 + 0.15 * t_s, 0.5 - 0.05 * t_s, 0.12, 0.3, RED)]


@pytest.mark.parametrize(("width", "height"), [(320, 180), (180, 320), (240, 240)], ids=["16:9", "9:16", "1:1"])
@pytest.mark.parametrize("hfov_deg", [60.0, 90.0])
def test_a_moving_thing_is_found_where_the_pinhole_camera_says(film, width, height, hfov_deg):
    path = film(crossing, 4.0, width, height)
    trajectory = localize(path, detector=ColourDetector(), hfov_deg=hfov_deg)
    (source,) = trajectory.sources
    assert (source.id, source.label, source.selected) == ("car-1", "car", True)
    assert (trajectory.camera.width, trajectory.camera.height) == (width, height)
    assert trajectory.duration_s == pytest.approx(4.0, abs=0.07)
    focal = max(width, height) / 2 / math.tan(math.radians(hfov_deg / 2))
    for t_s in np.arange(0.0, 3.8, 0.23):
        (x, y, _, h, _) = crossing(t_s)[0]
        expected = azimuth_deg(x, width, height, hfov_deg)
        assert sampled(source, t_s, "azimuth_deg") == pytest.approx(expected, abs=0.6)
        across = (0.5 - x) * width
        up = (0.5 - y) * height
        elevation = math.degrees(math.atan(up / math.hypot(focal, across)))
        assert sampled(source, t_s, "elevation_deg") == pytest.approx(elevation, abs=0.6)
        # a car is 1.5 m high: similar triangles, then along the ray
        depth = focal * 1.5 / (h * height)
        away = depth * math.sqrt(1 + (across / focal) ** 2 + (up / focal) ** 2)
        assert sampled(source, t_s, "distance_m") == pytest.approx(away, rel=0.08)


def test_keys_cover_the_whole_clip_and_say_how_they_came_about(film):
    def scene(t_s):
        return crossing(t_s) if 0.6 < t_s < 1.4 or 2.3 < t_s < 3.2 else []

    trajectory = localize(film(scene, 4.0), detector=ColourDetector())
    (source,) = trajectory.sources
    assert source.keys[0].t_s == 0.0
    assert source.keys[-1].t_s == trajectory.duration_s
    origins = {round(key.t_s, 2): key.origin for key in source.keys}
    assert origins[1.0] == "detected"
    assert origins[1.88] == "interpolated"
    assert origins[0.0] == "interpolated"
    # the gap is filled along the way that the thing went
    for t_s in (1.6, 1.88, 2.1):
        expected = azimuth_deg(crossing(t_s)[0][0], 320, 180)
        assert sampled(source, t_s, "azimuth_deg") == pytest.approx(expected, abs=1.5)
    sure = {key.t_s: key.confidence for key in source.keys}
    assert min(sure.values()) >= 0.05
    assert sure[1.0] > sure[1.875] > sure[4.0]


def test_two_of_a_kind_that_cross_keep_their_identities(film):
    def scene(t_s):
        return [(0.15 + 0.17 * t_s, 0.45, 0.1, 0.4, RED), (0.85 - 0.17 * t_s, 0.55, 0.1, 0.4, BLUE)]

    trajectory = localize(film(scene, 4.0), detector=ColourDetector(red="person", blue="person"))
    assert [source.id for source in trajectory.sources] == ["person-1", "person-2"]
    assert [source.selected for source in trajectory.sources] == [True, False]
    for source in trajectory.sources:
        start, end = (sampled(source, t_s, "azimuth_deg") for t_s in (0.2, 3.7))
        assert abs(start) > 12
        assert start * end < 0, "it comes out on the other side"
    starts = [float(sampled(source, 0.2, "azimuth_deg")) for source in trajectory.sources]
    assert starts[0] * starts[1] < 0


def test_a_mirrored_clip_gives_the_mirrored_trajectory(film):
    def scene(t_s):
        return [(0.3 + 0.1 * t_s, 0.4, 0.12, 0.3, RED), (0.7, 0.7, 0.2, 0.2, BLUE)]

    def mirrored(t_s):
        return [(1.0 - x, y, w, h, colour) for x, y, w, h, colour in scene(t_s)]

    one, other = (
        localize(film(s, 3.0, name=name), detector=ColourDetector())
        for s, name in ((scene, "a.mp4"), (mirrored, "b.mp4"))
    )
    assert [source.id for source in one.sources] == [source.id for source in other.sources]
    for first, second in zip(one.sources, other.sources, strict=True):
        for a, b in zip(first.keys, second.keys, strict=True):
            assert a.t_s == b.t_s
            assert a.azimuth_deg == pytest.approx(-b.azimuth_deg, abs=0.3)
            assert a.elevation_deg == pytest.approx(b.elevation_deg, abs=0.3)
            assert a.distance_m == pytest.approx(b.distance_m, rel=0.05)


@pytest.mark.parametrize("side", [-1, 1], ids=["left", "right"])
def test_what_goes_out_of_the_picture_goes_on_beyond_its_edge(film, side):
    def scene(t_s):
        x = 0.5 + side * 0.3 * t_s
        return [(x, 0.5, 0.14, 0.3, RED)] if abs(x - 0.5) < 0.56 else []

    (source,) = localize(film(scene, 4.0), detector=ColourDetector()).sources
    last = source.keys[-1]
    assert last.origin == "offscreen"
    assert (last.image_xy[0] - 0.5) * side > 0.5
    assert last.azimuth_deg * side < -30.0
    assert last.confidence < 0.2


def test_a_cut_is_marked_and_not_smoothed_across(film):
    # the second shot is another picture: its background is a block of blue, which this detector knows not
    def scene(t_s):
        if t_s < 2.0:
            return [(0.25, 0.5, 0.12, 0.3, RED)]
        return [(0.5, 0.5, 1.0, 1.0, (30, 90, 30)), (0.75, 0.4, 0.12, 0.3, RED)]

    (source,) = localize(film(scene, 4.0), detector=ColourDetector()).sources
    cuts = [key for key in source.keys if key.cut]
    assert len(cuts) == 1
    assert cuts[0].t_s == pytest.approx(2.0, abs=0.07)
    for key in source.keys:
        x = 0.25 if key.t_s < cuts[0].t_s else 0.75
        assert key.azimuth_deg == pytest.approx(azimuth_deg(x, 320, 180), abs=0.6)


def two_things(t_s):
    return [(0.3, 0.5, 0.3, 0.6, RED), (0.8 - 0.1 * t_s, 0.6, 0.08, 0.2, BLUE)]


def test_what_stands_out_most_is_selected_and_the_other_kept(film):
    trajectory = localize(film(two_things), detector=ColourDetector())
    assert [(source.id, source.selected) for source in trajectory.sources] == [
        ("car-1", True),
        ("person-1", False),
    ]


def test_furniture_does_not_sound_when_something_alive_is_there(film):
    trajectory = localize(film(two_things), detector=ColourDetector(red="chair"))
    assert trajectory.selected[0].label == "person"


@pytest.mark.parametrize("label", ["person", "rider", "Persons", "a person"])
def test_a_label_chooses(film, label):
    trajectory = localize(film(two_things), label=label, detector=ColourDetector())
    assert [source.id for source in trajectory.sources] == ["person-1"]
    assert trajectory.sources[0].selected


@pytest.mark.parametrize(("label", "problem"), [("train", "no 'train' was seen"), ("kazoo", "knows no 'kazoo'")])
def test_a_label_that_was_not_seen_lists_what_was(film, label, problem):
    path = film(two_things)
    with pytest.raises(NothingFound) as caught:
        localize(path, label=label, detector=ColourDetector())
    assert problem in str(caught.value)
    assert "car, person" in str(caught.value)
    assert str(path) in str(caught.value)


def test_nothing_at_all_is_the_centre_with_low_confidence(film):
    trajectory = localize(film(lambda _: []), detector=ColourDetector())
    (source,) = trajectory.sources
    assert (source.id, source.selected) == ("centre", True)
    assert source.confidence < 0.1
    assert [key.azimuth_deg for key in source.keys] == [0.0, 0.0]
    assert source.keys[-1].t_s == trajectory.duration_s
    with pytest.raises(NothingFound):
        localize(film(lambda _: []), label="car", detector=ColourDetector())


def test_progress_is_told_and_cancels(film):
    path = film(crossing, 3.0)
    told = []
    localize(path, detector=ColourDetector(), on_progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1][0] == told[-1][1] == 3 * SAMPLING_HZ

    def stop(done, total):
        if done == 5:
            raise Cancelled("stopped")

    before = threading.active_count()
    with pytest.raises(Cancelled):
        localize(path, detector=ColourDetector(), on_progress=stop)
    assert threading.active_count() == before


def test_pictures_are_not_kept(film):
    held: set[int] = set()
    most = 0

    class Watching(ColourDetector):
        def detect(self, image):
            held.add(id(image))
            weakref.finalize(image, held.discard, id(image))
            return super().detect(image)

    def count(done, total):
        nonlocal most
        most = max(most, len(held))

    localize(film(crossing, 12.0, rate=8), detector=Watching(), on_progress=count)
    # two for each worker wait, of at most eight, and one or two are in other hands
    assert 1 <= most <= 20


def test_an_error_of_the_detector_comes_through(film):
    class Broken(ColourDetector):
        def detect(self, image):
            raise ModelUnavailable("it broke")

    with pytest.raises(ModelUnavailable, match="it broke"):
        localize(film(crossing, 1.0), detector=Broken())


def test_a_sound_file_has_no_picture(tmp_path):
    import soundfile

    path = tmp_path / "sound.wav"
    soundfile.write(path, np.zeros(4800, np.float32), 48000)
    with pytest.raises(NoVideo, match=r"sound\.wav"):
        localize(path, detector=ColourDetector())


def test_the_shipped_detector_is_the_default():
    assert "person" in load_detector().names
    assert len(load_detector().names) == 80


def test_the_same_request_gives_the_same_trajectory(film):
    path = film(two_things)
    assert localize(path, detector=ColourDetector()) == localize(path, detector=ColourDetector())
