"""What is heard and what is seen, weighed against each other on made-up things whose answer is plain."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace_host.localize.choose.evidence import Sounds, judge
from foleyspace_host.localize.choose.held import in_the_hands, small_things
from foleyspace_host.localize.choose.synchrony import synchrony
from foleyspace_host.localize.choose.table import HELD, TELLS_NOTHING, makes, thing_names
from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.follow.track import Sighting, Track
from foleyspace_host.localize.hear.listen import Heard
from foleyspace_host.localize.hear.onsets import Loudness
from foleyspace_host.localize.hear.tag import Tags, class_names
from foleyspace_host.localize.see.detect import Detection

TIMES = np.arange(64) / 8.0


def thing(name: str | None, x: float = 0.5, score: float = 0.5, size: float = 0.3, motion=None) -> Chain:
    box = np.array([x - size / 2, 0.5 - size / 2, x + size / 2, 0.5 + size / 2])
    motion = np.zeros(len(TIMES)) if motion is None else motion
    sightings = [Sighting(float(t), box, score, float(m)) for t, m in zip(TIMES, motion, strict=True)]
    return Chain((Track(0, sightings, {} if name is None else {name: score * len(TIMES)}),))


def heard(scores: dict[str, float], level: np.ndarray | None = None) -> Heard:
    names = class_names()
    row = np.zeros(521, np.float32)
    for name, score in scores.items():
        row[names.index(name)] = score
    time_s = np.arange(800) * 0.01
    level = np.ones(800, np.float32) if level is None else level.astype(np.float32)
    tags = Tags(np.arange(16) * 0.48, np.tile(row, (16, 1)))
    return Heard(tags, Loudness(time_s, level, np.maximum(np.diff(level, prepend=level[:1]), 0)))


def during(beat: np.ndarray) -> np.ndarray:
    """Hold each picture's value over the time since the picture before, every 10 ms."""
    return beat[np.clip(np.ceil(np.arange(800) * 0.01 * 8).astype(int), 0, 63)]


def best(chains: list[Chain], sound: Heard | None) -> str:
    return judge(chains, len(TIMES), sound)[0][0].chain.label


def test_every_name_of_the_table_exists_and_is_a_likelihood() -> None:
    names = set(class_names())
    assert names >= HELD
    assert names >= TELLS_NOTHING
    table = makes()
    assert table.shape == (521, 80)
    assert ((table >= 0) & (table <= 1)).all()
    blind = [class_names().index(name) for name in TELLS_NOTHING]
    assert not table[blind].any(), "what tells nothing has no maker"


@pytest.mark.parametrize(
    ("sound", "maker"),
    [
        ("Bark", "dog"),
        ("Meow", "cat"),
        ("Neigh, whinny", "horse"),
        ("Moo", "cow"),
        ("Quack", "bird"),
        ("Speech", "person"),
        ("Train horn", "train"),
        ("Motorcycle", "motorcycle"),
        ("Helicopter", "airplane"),
        ("Toilet flush", "toilet"),
        ("Computer keyboard", "keyboard"),
        ("Basketball bounce", "sports ball"),
        ("Ringtone", "cell phone"),
    ],
)
def test_a_sound_belongs_first_to_what_it_is_named_for(sound: str, maker: str) -> None:
    row = makes()[class_names().index(sound)]
    assert thing_names()[int(row.argmax())] == maker
    assert row.max() == 1.0


def test_what_is_heard_decides_between_things_that_stand_out_alike() -> None:
    things = [thing("dog", 0.3), thing("person", 0.7)]
    assert best(things, heard({"Bark": 0.6, "Dog": 0.7})) == "dog"
    assert best(things, heard({"Speech": 0.8})) == "person"
    assert best(list(reversed(things)), heard({"Speech": 0.8})) == "person"


def test_hearing_outweighs_looks_but_a_faint_tag_does_not() -> None:
    things = [thing("person", score=0.7, size=0.5), thing("bird", score=0.35, size=0.15)]
    assert best(things, heard({"Bird": 0.8, "Chirp, tweet": 0.7})) == "bird"
    assert best(things, heard({"Bird": 0.04})) == "person"
    assert best(things, None) == "person"


def test_music_and_noise_tell_nothing() -> None:
    things = [thing("car", score=0.6), thing("person", score=0.3)]
    assert best(things, heard({"Music": 0.95, "Outside, urban or manmade": 0.5})) == best(things, None) == "car"


def test_a_sound_that_nothing_known_makes_belongs_to_what_moves() -> None:
    things = [thing("person", score=0.5), thing(None, 0.7, score=0.35, size=0.5)]
    assert best(things, heard({"Waterfall": 0.8, "Rain": 0.3})) == "object"
    assert best(things, heard({"Speech": 0.8})) == "person"


def test_of_two_talkers_the_one_who_moves_with_the_voice_is_heard() -> None:
    rng = np.random.default_rng(1)
    beat = (rng.uniform(size=64) < 0.3).astype(float)
    level = 2.0 * during(beat)
    silent, talking = thing("person", 0.3, motion=rng.uniform(size=64)), thing("person", 0.7, motion=3 * beat)
    sound = heard({"Speech": 0.8}, level)
    assert synchrony(talking, sound.loudness) > synchrony(silent, sound.loudness)
    assert judge([silent, talking], 64, sound)[0][0].chain is talking


@pytest.mark.parametrize("shift", [0, 3])
def test_synchrony_knows_when_two_rhythms_are_the_same(shift: int) -> None:
    rng = np.random.default_rng(2)
    beat = (rng.uniform(size=64) < 0.25).astype(float)
    level = during(np.roll(beat, shift)).astype(np.float32)
    loudness = Loudness(np.arange(800) * 0.01, level, np.zeros(800, np.float32))
    found = synchrony(thing("person", motion=4 * beat), loudness)
    assert found > 0.7 if shift == 0 else found < 0.2


def test_chance_is_no_synchrony() -> None:
    rng = np.random.default_rng(3)
    loudness = heard({}, rng.uniform(size=800)).loudness
    values = [synchrony(thing("person", motion=rng.uniform(size=64)), loudness) for _ in range(200)]
    assert np.mean(np.array(values) > 0.1) < 0.05
    assert synchrony(thing("person"), loudness) == 0.0


def test_silence_leaves_the_choice_to_the_eyes() -> None:
    things = [thing("dog", score=0.3), thing("car", score=0.6)]
    silent = heard({"Silence": 0.9}, np.zeros(800))
    judged, sounds = judge(things, 64, silent)
    assert sounds is None
    assert judged[0].chain.label == "car"


def test_sounds_are_named_for_people() -> None:
    sounds = Sounds.of(heard({"Trumpet": 0.4, "Brass instrument": 0.3, "Music": 0.9}).tags)
    assert sounds.names == ("Trumpet", "Brass instrument")
    assert sounds.held == pytest.approx(1.0)
    assert sounds.clearness == 1.0


def test_what_is_held_draws_the_point_to_the_hands() -> None:
    body = np.array([0.4, 0.2, 0.6, 0.9])
    person = Chain((Track(0, [Sighting(float(t), body, 0.6) for t in TIMES], {"person": 40.0}),))
    trumpet = Detection(np.array([0.62, 0.28, 0.70, 0.36]), 0.3, {"clock": 0.3})
    chair = Detection(np.array([0.1, 0.7, 0.3, 0.95]), 0.6, {"chair": 0.6})
    far = Detection(np.array([0.02, 0.3, 0.08, 0.36]), 0.6, {"clock": 0.6})
    things = [(float(t), small_things([trumpet, chair, far])) for t in TIMES]
    held = in_the_hands(person, things)
    middles = np.array([(s.box[:2] + s.box[2:]) / 2 for s in held.sightings])
    np.testing.assert_allclose(middles, [[0.66, 0.32]] * len(TIMES), atol=0.01)
    sizes = np.array([s.box[2:] - s.box[:2] for s in held.sightings])
    np.testing.assert_allclose(sizes, [body[2:] - body[:2]] * len(TIMES))
    # with nothing to see in the hands: between chest and mouth, still in the middle
    alone = in_the_hands(person, [(float(t), []) for t in TIMES]).sightings[5]
    np.testing.assert_allclose((alone.box[:2] + alone.box[2:]) / 2, [0.5, 0.41])


def test_what_is_seldom_seen_in_the_hands_tells_more_than_a_guess() -> None:
    """In made-up scenes: a thing held anywhere around the body, faint and seen now and then; others in reach."""
    rng = np.random.default_rng(3)
    body = np.array([0.4, 0.2, 0.6, 0.95])
    width, height = body[2:] - body[:2]
    errors: dict[bool, list[float]] = {False: [], True: []}
    guesses: list[float] = []
    for with_clutter in (False, True):
        for _ in range(100):
            held_at = np.array([0.5, 0.3]) + rng.normal(0.0, [0.35, 0.12])
            places = [(held_at, rng.uniform(0.1, 0.8), rng.uniform(0.06, 0.2))]
            for _ in range(rng.poisson(1.0 if with_clutter else 0.0)):
                anywhere = np.array([rng.uniform(-0.6, 1.6), rng.uniform(-0.1, 0.7)])
                places.append((anywhere, rng.uniform(0.1, 0.8), rng.uniform(0.06, 0.25)))
            things = []
            for t_s in TIMES:
                here = []
                for place, often, score in places:
                    if rng.random() < often:
                        middle = body[:2] + (place + rng.normal(0.0, 0.06, 2)) * [width, height]
                        here.append((np.concatenate([middle - 0.02, middle + 0.02]), score))
                things.append((float(t_s), here))
            person = Chain((Track(0, [Sighting(float(t), body, 0.6) for t in TIMES], {"person": 40.0}),))
            guesses.append(abs(held_at[0] - 0.5))
            box = in_the_hands(person, things).sightings[len(TIMES) // 2].box
            errors[with_clutter].append(abs((box[0] + box[2]) / 2 - body[0] - held_at[0] * width) / width)
    assert np.mean(errors[False]) < 0.4 * np.mean(guesses)
    assert np.mean(errors[True]) < np.mean(guesses)
