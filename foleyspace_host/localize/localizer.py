"""From a video to a trajectory: the whole of localization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import MediaEmpty, NoVideo
from foleyspace_host.geometry.camera import DEFAULT_HFOV_DEG, Camera
from foleyspace_host.geometry.timebase import Span
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.geometry.trajectory_text import seconds_as_written
from foleyspace_host.localize.choose.evidence import Judgement, Sounds, judge
from foleyspace_host.localize.choose.held import Things, in_the_hands, small_things
from foleyspace_host.localize.choose.reason import reason
from foleyspace_host.localize.choose.salience import mentioned, restricted
from foleyspace_host.localize.choose.several import sounding
from foleyspace_host.localize.choose.unnamed import unnamed
from foleyspace_host.localize.cues import Cues
from foleyspace_host.localize.follow.chain import join
from foleyspace_host.localize.follow.scene import SceneView
from foleyspace_host.localize.follow.track import Track, Tracker
from foleyspace_host.localize.found import Found
from foleyspace_host.localize.hear.listen import Heard, listen
from foleyspace_host.localize.place.anchor import Told
from foleyspace_host.localize.place.ask import ASKED_HZ, ask
from foleyspace_host.localize.place.depth import DepthModel
from foleyspace_host.localize.see.detect import TRACKED_SCORE, CenterNet, Detector
from foleyspace_host.localize.see.look import SAMPLING_HZ, look
from foleyspace_host.localize.see.open_vocabulary import STEP_S, OpenVocabulary
from foleyspace_host.localize.sources import likely, middle, sources_of

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device

__all__ = ["SAMPLING_HZ", "find", "load_detector", "localize"]

_ALL_CUES = Cues()
_MOSTLY_HELD = 0.5


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a pass over the pictures leaves behind."""

    time_s: NDArray[np.float64]
    shot: NDArray[np.int64]
    view: SceneView
    tracks: list[Track]
    moving: list[Track]
    small: Things


def localize(
    path: str | Path,
    *,
    label: str | None = None,
    hfov_deg: float = DEFAULT_HFOV_DEG,
    detector: str | Path | Detector | None = None,
    span: Span | None = None,
    cues: Cues = _ALL_CUES,
    on_progress: Callable[[int, int], None] | None = None,
) -> Trajectory:
    """Find the thing in a video that sounds, and where it is over time.

    Parameters
    ----------
    path : str or Path
        The video; its sound, if it has one, is listened to.
    label : str, optional
        What to follow: the name of a COCO class, part of one, or a common other word ("car", "rider").
        Without it the thing is taken that stands out most (by size, persistence, position and score), and
        goes best with what is heard.
    hfov_deg : float
        Field of view of the camera over the longer side of the picture [deg].
    detector : str, Path or Detector, optional
        An ONNX file of the signature of CenterNet, or an object that finds things in pictures; the shipped
        CenterNet if left out.
    span : Span, optional
        The part of the video to look at, as if it had been cut out; times count from its start.
    cues : Cues
        What to go by; everything if left out.
    on_progress : callable, optional
        Called as on_progress(done, total) with pictures looked at; raises Cancelled to stop.

    Returns
    -------
    Trajectory
        With its camera. The source that sounds is selected, or those that do where several are heard; others
        that were found are not. The keys of each go from 0 to the end of the clip. If nothing was found at all,
        one source "centre" of low confidence straight ahead.

    Raises
    ------
    MediaMissing, MediaDamaged, MediaEmpty, NoVideo
        If the file cannot be used.
    InvalidInput
        If the field of view is out of range, or the video ends before the span begins.
    ModelUnavailable
        If the detector or ONNX Runtime is missing or broken.
    NothingFound
        If a label was given and nothing of that kind was seen; lists what was.
    """
    return find(
        path, label=label, hfov_deg=hfov_deg, detector=detector, span=span, cues=cues, on_progress=on_progress
    ).trajectory


def find(
    path: str | Path,
    *,
    label: str | None = None,
    prompt: str | None = None,
    hfov_deg: float = DEFAULT_HFOV_DEG,
    detector: str | Path | Detector | None = None,
    vocabulary: OpenVocabulary | None = None,
    depth: DepthModel | None = None,
    span: Span | None = None,
    cues: Cues = _ALL_CUES,
    on_progress: Callable[[int, int], None] | None = None,
) -> Found:
    """Localize as `localize` does, and keep what a report draws and tells.

    Parameters
    ----------
    path, label, hfov_deg, detector, span, cues, on_progress
        See `localize`, also for what is raised.
    prompt : str, optional
        Words for the sound. Without a label, things that they name are taken before others.
    vocabulary : OpenVocabulary, optional
        Looks for the one thing it was told of, instead of detector and label.
    depth : DepthModel, optional
        Tells distances, together with the boxes.

    Returns
    -------
    Found
    """
    from foleyspace_host.media.probe import probe

    info = probe(path)
    if info.video is None:
        raise NoVideo("the file has no picture", where=str(path), cure="give a video, or a trajectory")
    camera = Camera(info.video.width, info.video.height, hfov_deg)
    finder: Detector
    named = "label" if label is not None else "prompt"
    if vocabulary is not None:
        finder, label = vocabulary, vocabulary.names[0]
    else:
        finder = load_detector(detector) if detector is None or isinstance(detector, str | Path) else detector
    duration_s = float(info.duration_s if span is None else span.duration_s)
    count = _Count(duration_s, on_progress, with_depth=depth is not None and cues.range)
    heard = _heard(path, span, count) if cues.audio and info.audio is not None else None
    seen = _look(path, finder, span, cues, 0.0 if vocabulary is None else STEP_S, count)
    chains = join(seen.tracks)
    name, notes = None, []
    if label is not None:
        chains, name = restricted(chains, label, finder.names, str(path))
    elif prompt is not None and (meant := mentioned(chains, prompt, finder.names)):
        chains = meant
    else:
        named = ""
        chains += unnamed(join(seen.moving), chains)
        if prompt is not None:
            notes.append("nothing that the prompt names was recognised in the picture: it did not count")
    judgements, sounds = judge(chains, len(seen.time_s), heard)
    why = reason(judgements, sounds, named)
    if sounds is not None:
        judgements = [_where_it_sounds(one, sounds, seen.small) for one in judgements]
    judgements = likely(judgements)
    told: Told | None = None
    if depth is not None and cues.range and judgements:
        kept = [one.chain for one in judgements]
        told = ask(path, depth, camera, kept, seen.time_s, seen.shot, span, count.step)
    count.end()
    # what was left out goes before the keys come: of a film these are a hundred megabytes each
    for rest in (chains, seen.tracks, seen.moving):
        rest.clear()
    # the last picture lasts a while: without a stated duration, as long as one step of the sampling
    end_s = max(duration_s, float(seen.time_s[-1])) or 1.0 / SAMPLING_HZ
    things, warnings = sources_of(
        judgements,
        seen.time_s,
        seen.shot,
        seen.view,
        end_s,
        camera,
        name=name,
        sounding=(0,) if named else sounding(judgements, sounds),
        with_range=cues.range,
        told=told,
    )
    sources = tuple(source for source, _ in things) or (middle(end_s),)
    return Found(
        Trajectory(seconds_as_written(end_s), sources, camera),
        {source.id: sizes for source, sizes in things},
        () if sounds is None else sounds.names,
        (*notes, *warnings),
        why,
        heard is not None,
    )


class _Count:
    """Counts pictures for who waits."""

    def __init__(self, duration_s: float, on_progress: Callable[[int, int], None] | None, *, with_depth: bool) -> None:
        self._done = 0
        self._total = max(round(duration_s * SAMPLING_HZ), 1) + (round(duration_s * ASKED_HZ) if with_depth else 0)
        self._with_depth = with_depth
        self._on_progress = on_progress

    def step(self) -> None:
        """Count one picture."""
        self._done += 1
        self._total = max(self._total, self._done)
        self._tell()

    def same(self) -> None:
        """Tell that there is work without pictures, which can be cancelled too."""
        self._tell()

    def end(self) -> None:
        """Count what was not needed as done."""
        if self._done < self._total and self._with_depth:
            self._done = self._total
            self._tell()

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self._done, self._total)


def _heard(path: str | Path, span: Span | None, count: _Count) -> Heard:
    from foleyspace_host.media.audio import open_audio

    with open_audio(path, span) as sound:
        return listen(sound, on_progress=lambda _done, _total: count.same())


def _where_it_sounds(judgement: Judgement, sounds: Sounds, small: Things) -> Judgement:
    """Move a person's point to what is held, where that is what is heard."""
    if judgement.chain.label != "person" or sounds.clearness * sounds.held < _MOSTLY_HELD:
        return judgement
    return replace(judgement, chain=in_the_hands(judgement.chain, small))


def load_detector(detector: str | Path | None = None, device: Device = "auto") -> CenterNet:
    """Return the detector to use.

    Parameters
    ----------
    detector : str or Path, optional
        An ONNX file; the shipped CenterNet if left out.
    device : {"auto", "cpu", "cuda"}
        Where it computes, see `open_session`.

    Returns
    -------
    CenterNet

    Raises
    ------
    ModelUnavailable
        If the file or ONNX Runtime is missing or broken.
    """
    from foleyspace_host.models.registry import find
    from foleyspace_host.models.session import open_session

    file = find("centernet", detector)
    return CenterNet(open_session(file, device=device), file)


def _look(
    path: str | Path,
    finder: Detector,
    span: Span | None,
    cues: Cues,
    step_s: float,
    count: _Count,
) -> _Seen:
    """Look at every sampled picture once, keeping none."""
    tracker, movers = Tracker(), Tracker()
    surest: dict[int, Track] = {}
    times: list[float] = []
    cuts, warps, small = [], [], []
    shot = 0
    shots: list[int] = []
    for picture in look(path, finder, span, with_motion=cues.motion, step_s=step_s):
        if picture.cut:
            tracker.cut()
            movers.cut()
            shot += 1
        things = [found for found in picture.detections if found.score >= TRACKED_SCORE]
        tracker.add(picture.t_s, things, picture.warp, picture.motion)
        movers.add(picture.t_s, picture.moving, picture.warp, picture.motion)
        if not cues.tracker and things:
            surest.setdefault(shot, Track(shot)).add(picture.t_s, things[0])
        times.append(picture.t_s)
        shots.append(shot)
        cuts.append(picture.cut)
        warps.append(picture.warp)
        small.append((picture.t_s, small_things(picture.detections)))
        count.step()
    if not times:
        raise MediaEmpty("the video holds no pictures", where=str(path), cure="give a video that plays")
    time_s = np.array(times)
    tracks = tracker.finish() if cues.tracker else list(surest.values())
    view = SceneView(time_s, warps, cuts)
    return _Seen(time_s, np.array(shots, dtype=np.int64), view, tracks, movers.finish(), small)
