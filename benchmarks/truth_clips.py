"""Clips of known truth: things on known paths before a textured scene, seen by a camera of known motion.

Lengths are in units of which an unzoomed picture is 480 high; the scene's middle is (0, 0), x to the right and y
downwards. A thing is the demo's trotting horse, a photograph of a person (a sample of Matplotlib's), a speckled
ball that no detector has a name for, or a block of one colour. Falling water changes where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from importlib.resources import files
from math import cos, pi, sin
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from foleyspace_host.demo.puppet import Puppet

UNIT_HEIGHT = 480
POSES = 12
STRIDES_HZ = 1.2

Array = NDArray[np.float64]
Image = NDArray[np.uint8]
View = tuple[float, float, float, float]
"""Middle of the picture (x, y), zoom, and roll [deg]."""

Place = tuple[float, float, float]
"""Middle (x, y) and height."""


@dataclass(frozen=True)
class Thing:
    """Something in the scene: what it looks like, and where it is at a time (None: not there)."""

    look: str
    at: Callable[[float], Place | None]
    faces_left: bool = False


def _rests(_: float) -> View:
    return (0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Clip:
    """A clip to be written; times in seconds."""

    name: str
    things: tuple[Thing, ...]
    duration_s: float = 4.0
    size: tuple[int, int] = (854, 480)
    rate: int = 25
    view: Callable[[float], View] = _rests
    cuts_s: tuple[float, ...] = ()
    flashes_s: tuple[tuple[float, float], ...] = ()
    pillars: tuple[tuple[float, float], ...] = ()  # left and right end of each
    codec: str = "libx264"
    pixels: str = "yuv420p"
    sample_aspect: Fraction = Fraction(1)
    turned: bool = False  # stored lying, shown upright by the file's display matrix
    interlaced: bool = False
    uneven: bool = False  # pictures at irregular times
    hooves: bool = False  # their sound
    mirrored: bool = False

    @property
    def times_s(self) -> Array:
        """Times of the pictures."""
        even = np.arange(round(self.duration_s * self.rate)) / self.rate
        if not self.uneven:
            return even
        rng = np.random.default_rng(4)
        kept = rng.uniform(size=len(even)) < 0.7
        kept[0] = True
        late = rng.uniform(0.0, 0.6 / self.rate, len(even))
        late[0] = 0.0
        return (even + late)[kept]

    def shot(self, t_s: float) -> int:
        """Return the number of the shot."""
        return sum(t_s >= cut - 1e-6 for cut in self.cuts_s)

    def truth(self, thing: Thing, t_s: float) -> tuple[float, float, float] | None:
        """Return middle and height of a thing in fractions of the picture; None where it is not there."""
        place = thing.at(t_s)
        if place is None:
            return None
        matrix, (width, height) = self.matrix(t_s), self.size
        x, y = matrix[:, :2] @ place[:2] + matrix[:, 2]
        scale = np.sqrt(np.linalg.det(matrix[:, :2]))
        x = width - x if self.mirrored else x
        return float(x / width), float(y / height), float(scale * place[2] / height)

    def matrix(self, t_s: float) -> Array:
        """Return the matrix from the scene to the picture's pixels, shape (2, 3)."""
        x, y, zoom, roll_deg = self.view(t_s)
        width, height = self.size
        turn, scale = np.radians(roll_deg), zoom * max(height, width * 9 / 16) / UNIT_HEIGHT
        linear = scale * np.array([[cos(turn), sin(turn)], [-sin(turn), cos(turn)]])
        return np.column_stack([linear, np.array([width, height]) / 2 - linear @ np.array([x, y])])

    def reflected(self) -> Clip:
        """Return its mirror image."""
        return replace(self, name=f"{self.name}, mirrored", mirrored=not self.mirrored)


@cache
def scenery(shot: int) -> Image:
    """Draw a scene 2400 wide and 960 high: sky, ground, stones and posts."""
    rng = np.random.default_rng(shot)
    height, width = 960, 2400
    sky, ground = (
        ((150, 180, 215), (150, 130, 95)),
        ((205, 150, 120), (85, 105, 75)),
        ((110, 120, 140), (160, 160, 165)),
    )[shot % 3]
    down = np.linspace(0.0, 1.0, height)[:, None, None]
    image = np.where(down < 0.52, np.array(sky) * (1.15 - 0.5 * down), np.array(ground) * (0.6 + 0.5 * down))
    image = np.broadcast_to(image, (height, width, 3)).astype(np.float32).copy()
    for size, depth in ((1.2, 5.0), (4.0, 7.0), (14.0, 8.0), (50.0, 8.0)):
        layer = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), size)
        image += depth * (layer / layer.std())[..., None]
    for _ in range(130):
        x, y = int(rng.integers(width)), int(rng.integers(480, height))
        shade = tuple(float(v) for v in np.array(ground) * rng.uniform(0.45, 1.3))
        axes = (int(rng.integers(4, 26)), int(rng.integers(3, 12)))
        cv2.ellipse(image, (x, y), axes, 0.0, 0.0, 360.0, shade, -1, cv2.LINE_AA)
    for _ in range(40):
        x, top = int(rng.integers(width)), int(rng.integers(330, 480))
        shade = tuple(float(v) for v in np.array(sky) * rng.uniform(0.5, 0.85))
        cv2.rectangle(image, (x, top), (x + int(rng.integers(3, 30)), 500), shade, -1)
    picture: Image = np.clip(image, 0, 255).astype(np.uint8)
    return picture


@cache
def _horse() -> tuple[list[NDArray[np.float32]], float]:
    """Poses as RGBA of 0 to 1, colour times cover, and the height of the standing horse in their pixels."""
    raw = (files("foleyspace_host.demo") / "assets" / "horse.png").read_bytes()
    outline = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert outline is not None
    puppet = Puppet(np.asarray(outline, dtype=np.uint8))
    poses = []
    for index in range(POSES):
        cover = puppet.pose(2 * pi * index / POSES).astype(np.float32) / 255.0
        shade = np.linspace(0.24, 0.12, len(cover), dtype=np.float32)[:, None, None] * np.array([1.0, 0.72, 0.5])
        poses.append(np.concatenate([cover[..., None] * shade, cover[..., None]], axis=-1).astype(np.float32))
    return poses, float(puppet.rest_height)


@cache
def _sprite(look: str) -> NDArray[np.float32]:
    if look == "person":
        from matplotlib.cbook import get_sample_data

        with get_sample_data("grace_hopper.jpg", asfileobj=True) as file:
            colour = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)[..., ::-1] / 255.0
        cover = np.ones(colour.shape[:2])
    elif look == "ball":
        y, x = np.mgrid[-1:1:128j, -1:1:128j]
        cover = np.clip((1.0 - np.hypot(x, y)) * 40.0, 0.0, 1.0)
        speckles = cv2.GaussianBlur(np.random.default_rng(8).standard_normal((128, 128)), (0, 0), 4.0)
        colour = np.where((speckles > 0)[..., None], np.array([0.9, 0.85, 0.2]), np.array([0.25, 0.1, 0.5]))
    else:
        cover = np.ones((60, 60))
        colour = np.broadcast_to({"red": (0.86, 0.16, 0.16), "blue": (0.16, 0.16, 0.86)}[look], (60, 60, 3))
    return np.concatenate([colour * cover[..., None], cover[..., None]], axis=-1).astype(np.float32)


def _water(t_s: float) -> NDArray[np.float32]:
    """Falling water: streaks that run down in a band that stays."""
    rng = np.random.default_rng(12)
    streaks = cv2.GaussianBlur(rng.standard_normal((512, 160)), (0, 0), 1.5, sigmaY=8.0)
    shown = np.roll(streaks / streaks.std(), round(260 * t_s), axis=0)[:256]
    cover = np.ones((256, 160))
    colour = np.clip(0.75 + 0.12 * shown, 0.0, 1.0)[..., None] * np.array([0.9, 0.96, 1.0])
    return np.concatenate([colour * cover[..., None], cover[..., None]], axis=-1).astype(np.float32)


def picture(clip: Clip, t_s: float) -> Image:
    """Draw what the camera sees."""
    width, height = clip.size
    matrix = clip.matrix(t_s)
    scene = scenery(clip.shot(t_s))
    rows, columns = scene.shape[:2]
    to_scene = np.array([[1.0, 0.0, -columns / 2], [0.0, 1.0, -rows / 2]])
    image = cv2.warpAffine(scene, _after(matrix, to_scene), (width, height), flags=cv2.INTER_LINEAR).astype(np.float32)
    for thing in clip.things:
        place = thing.at(t_s)
        if place is not None:
            _paste(image, _look(thing, t_s), _rest_height(thing), matrix, place, thing.faces_left)
    for left, right in clip.pillars:
        ends = matrix[0, 0] * np.array([left, right]) + matrix[0, 2]
        a, b = (int(np.clip(round(float(end)), 0, width)) for end in ends)
        image[:, a:b] = np.array([96.0, 88.0, 80.0]) + 12.0 * np.sin(np.arange(height) / 9.0)[:, None, None]
    if any(begin - 1e-6 <= t_s < end - 1e-6 for begin, end in clip.flashes_s):
        image = 0.15 * image + 0.85 * 255.0
    shown: Image = np.clip(image, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(shown[:, ::-1]) if clip.mirrored else shown


def _look(thing: Thing, t_s: float) -> NDArray[np.float32]:
    if thing.look == "horse":
        return _horse()[0][round(STRIDES_HZ * t_s * POSES) % POSES]
    return _water(t_s) if thing.look == "water" else _sprite(thing.look)


def _rest_height(thing: Thing) -> float:
    return _horse()[1] if thing.look == "horse" else float(len(_look(thing, 0.0)))


def _after(second: Array, first: Array) -> Array:
    """Return one affine matrix for two."""
    return np.column_stack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]])


def _paste(
    image: NDArray[np.float32],
    look: NDArray[np.float32],
    rest_height: float,
    matrix: Array,
    place: Place,
    faces_left: bool,
) -> None:
    x, y, height = place
    look = look[:, ::-1] if faces_left else look
    scale = height / rest_height
    rows, columns = look.shape[:2]
    # the middle of the resting figure, whose feet are on the last row, comes to the place
    put = np.array([[scale, 0.0, x - scale * columns / 2], [0.0, scale, y - scale * (rows - rest_height / 2)]])
    shrinks = scale * float(np.sqrt(np.linalg.det(matrix[:, :2])))
    soft = cv2.GaussianBlur(look, (0, 0), max(0.4 / shrinks - 0.3, 0.05))
    placed = cv2.warpAffine(soft, _after(matrix, put), image.shape[1::-1], flags=cv2.INTER_LINEAR)
    image *= 1.0 - placed[..., 3:]
    image += 255.0 * placed[..., :3]


def write(clip: Clip, path: Path) -> Path:
    """Write a clip."""
    base = Fraction(1, 12800)
    width, height = clip.size
    if clip.turned:
        width, height = height, width
    stored = (round(width / clip.sample_aspect / 2) * 2, height)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(clip.codec, rate=clip.rate)
        stream.width, stream.height, stream.pix_fmt = *stored, clip.pixels
        stream.codec_context.time_base = stream.time_base = base
        if clip.codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": "20"}
            if clip.interlaced:
                stream.options |= {"preset": "veryfast", "x264-params": "tff=1"}
        else:
            stream.bit_rate = 8_000_000
        stream.codec_context.sample_aspect_ratio = clip.sample_aspect
        sound = container.add_stream("aac", rate=48_000, layout="mono") if clip.hooves else None
        for t_s, image in _pictures(clip):
            if clip.turned:
                image = np.ascontiguousarray(np.rot90(image))
            if stored != (width, height):
                image = cv2.resize(image, stored, interpolation=cv2.INTER_AREA)
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=clip.pixels)
            frame.pts, frame.time_base = round(t_s / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _add_hooves(container, sound, clip.duration_s)
    if clip.turned:
        _turn(path)
    return path


def _pictures(clip: Clip) -> Iterator[tuple[float, Image]]:
    for t_s in clip.times_s:
        image = picture(clip, float(t_s))
        if clip.interlaced:  # the lower field is half a picture later
            image[1::2] = picture(clip, float(t_s) + 0.5 / clip.rate)[1::2]
        yield float(t_s), image


def _add_hooves(container: Any, stream: Any, duration_s: float) -> None:
    from foleyspace_host.demo.scene import SAMPLE_RATE_HZ, sound

    samples = np.tile(sound(), int(duration_s / 8.0) + 1)[: round(duration_s * SAMPLE_RATE_HZ)]
    for start in range(0, len(samples), 1024):
        piece = np.ascontiguousarray(samples[None, start : start + 1024])
        block = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = SAMPLE_RATE_HZ, start, Fraction(1, SAMPLE_RATE_HZ)
        container.mux(stream.encode(block))
    container.mux(stream.encode(None))


def _turn(path: Path) -> None:
    """Say in an MP4 that it is to be shown turned by 90 degrees clockwise (QuickTime's track header atom)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    for index, value in enumerate((0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)):
        data[at + 4 * index : at + 4 * index + 4] = value.to_bytes(4, "big", signed=True)
    path.write_bytes(data)


def _across(begin: float, end: float, duration_s: float, y: float, height: float) -> Callable[[float], Place]:
    return lambda t_s: (begin + (end - begin) * t_s / duration_s, y, height)


def _shaken(t_s: float) -> View:
    """Shake the view as a hand does: some pixels, some times a second, and a little roll."""
    x = 5.0 * sin(2 * pi * 1.7 * t_s) + 3.0 * sin(2 * pi * 4.3 * t_s + 1.0)
    y = 4.0 * sin(2 * pi * 2.1 * t_s + 2.0) + 3.0 * sin(2 * pi * 5.1 * t_s)
    return (x, y, 1.0, 0.6 * sin(2 * pi * 1.3 * t_s))


@dataclass(frozen=True)
class Cases:
    """The clips, with `hero` and `other` in the roles that move."""

    hero: str = "horse"
    other: str = "horse"
    size: tuple[int, int] = (854, 480)
    clips: dict[str, Clip] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "clips", {clip.name: clip for clip in self._all()})

    def _all(self) -> Iterator[Clip]:
        hero, y = self.hero, 70.0
        narrow = (max(self.size[1] * 9 // 32 * 2, 2), self.size[1])
        walks = (Thing(hero, _across(-250.0, 230.0, 4.0, y, 170.0)),)
        inside = (Thing(hero, _across(-80.0, 80.0, 4.0, y, 150.0)),)
        rests = (Thing(hero, lambda _: (110.0, y, 170.0)),)
        one = Clip("passes", walks, size=self.size)
        yield one
        yield replace(one, name="comes nearer", things=(Thing(hero, lambda t: (-150 + 30 * t, y, 110 + 40 * t)),))
        yield replace(one, name="pan", view=lambda t: (-60.0 + 45.0 * t, 0.0, 1.0, 0.0))
        yield replace(one, name="pan past it", things=rests, view=lambda t: (-200.0 + 130.0 * t, 0.0, 1.0, 0.0))
        yield replace(one, name="zoom", things=rests, view=lambda t: (0.0, 0.0, 1.0 + 0.2 * t, 0.0))
        yield replace(one, name="hand-held", view=_shaken)
        cut_s = 51 / 25
        moves = (Thing(hero, lambda t: (-220 + 30 * t, y, 150.0) if t < cut_s else (240 - 20 * t, y, 190.0)),)
        yield replace(one, name="cut", things=moves, cuts_s=(cut_s,))
        yield replace(one, name="flashes", flashes_s=((1.0, 1.08), (2.6, 2.8)))
        yield replace(one, name="behind a pillar", pillars=((-60.0, 40.0),))
        crossing = (
            Thing(hero, _across(-280.0, 270.0, 4.0, y + 10.0, 170.0)),
            Thing(self.other, _across(270.0, -260.0, 4.0, y - 10.0, 150.0), faces_left=True),
        )
        yield replace(one, name="two cross", things=crossing)
        leaves = (Thing(hero, lambda t: (620.0 * sin(pi * t / 4.0 * 0.94), y, 170.0)),)
        yield replace(one, name="leaves, comes back", things=leaves)
        yield replace(one, name="portrait", things=inside, size=narrow)
        yield replace(one, name="4:3", things=inside, size=(self.size[1] * 4 // 3, self.size[1]))
        yield replace(one, name="shown turned", things=inside, size=narrow, turned=True)
        yield replace(one, name="anamorphic", sample_aspect=Fraction(32, 27))
        yield replace(one, name="uneven times", uneven=True)
        yield replace(one, name="interlaced", interlaced=True)
        yield replace(one, name="10 bit", codec="libx265", pixels="yuv420p10le")
        yield replace(one, name="4K", size=(3840, 2160), rate=8)
