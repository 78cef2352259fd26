"""The sounds that markers wish for: made by an engine, timed by the picture, and kept for the next time."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from foleyspace_host.errors import Cancelled, FoleySpaceError, OutputUnwritable
from foleyspace_host.pipeline.settings import LocalizeSettings, plain
from foleyspace_host.pipeline.stage_cache import StageCache, file_digest
from foleyspace_host.pipeline.stage_key import stage_key
from foleyspace_host.timeline.choose import Choice
from foleyspace_host.timeline.looking import Looking
from foleyspace_host.timeline.trajectories import Look, look_of

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device

__all__ = ["Foley", "FoleySettings"]

_SCRATCH_BYTES = 1 << 30
_FINE = 1000  # steps of progress in a sound
_SHARES = {"localize": (0.0, 0.3), "watch": (0.3, 0.2), "generate": (0.5, 0.4), "write": (0.9, 0.1)}
_NAME = re.compile(r"[^\w-]+")


@dataclass(frozen=True, slots=True)
class FoleySettings:
    """How the sounds are made.

    Parameters
    ----------
    engine : str or None
        What makes them; the one that ships if None.
    negative : str
        What they should not sound like.
    seed : int
        Goes into the seeds of those whose marker says none: another one makes all of them anew.
    """

    engine: str | None = None
    negative: str = ""
    seed: int = 0


class Foley:
    """Makes the sounds of one timeline; a context manager around `look` and `made`.

    Parameters
    ----------
    settings : FoleySettings
        How.
    looking : LocalizeSettings
        How sources are found in the picture; the words of a wish help.
    device : {"auto", "cpu", "cuda"}
        Where models compute.
    cache : StageCache or None
        Where what was seen is found.
    on_progress : callable
        Called as (stage, done, total); raises Cancelled to stop.

    Raises
    ------
    InvalidInput
        If there is no engine of that name.
    """

    def __init__(
        self,
        settings: FoleySettings,
        looking: LocalizeSettings,
        device: Device,
        cache: StageCache | None,
        on_progress: Callable[[str, int, int], None],
    ) -> None:
        from foleyspace_host.generate.engine import DEFAULT, engine_entry

        self._settings, self._looking, self._device, self._cache = settings, looking, device, cache
        self._on_progress = on_progress
        self._engine = engine_entry(settings.engine or DEFAULT).name
        self._scratch: TemporaryDirectory[str] | None = None
        self._seen: dict[str, Looking] = {}
        self._told: dict[int, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        if self._cache is None or not self._cache.keeps(
            "localize"
        ):  # what is found for the place is found again for the timing
            self._scratch = TemporaryDirectory(prefix="foleyspace-")
            self._cache = StageCache(Path(self._scratch.name), _SCRATCH_BYTES, ("localize",))
        return self

    def __exit__(self, *_: object) -> None:
        if self._scratch is not None:
            self._scratch.cleanup()

    def judged(self, choices: Sequence[Choice]) -> list[Choice]:
        """Return choices with the reason of wishes that cannot be fulfilled, and what the others would be made of."""
        from foleyspace_host.generate.engine import availability

        if not any(choice.piece.wish is not None and not choice.reason for choice in choices):
            return [*choices]
        found = availability(self._engine)
        missing = ""
        if not found.available:
            missing = f"no sound is made by the engine {self._engine!r}: {found.reason}; {found.cure}"
        return [self._judged(choice, missing) for choice in choices]

    def _judged(self, choice: Choice, missing: str) -> Choice:
        wish = choice.piece.wish
        if wish is None or choice.reason:
            return choice
        if missing:
            return replace(choice, reason=missing)
        classes, problem = _classes(wish.prompt)
        if problem and self._engine == "foley":
            return replace(choice, reason=problem)
        note = f"made by {self._engine}" + (f" as {', '.join(classes)}" if classes else "")
        return replace(choice, piece=replace(choice.piece, notes=(*choice.piece.notes, note)))

    def look(self, choices: Sequence[Choice], folder: Path) -> None:
        """Look at the pictures that place the wishes, for the things that their words name."""
        for prompt in dict.fromkeys(one.piece.wish.prompt for one in choices if one.piece.wish is not None):
            parts = [
                part
                for one in choices
                if one.piece.wish is not None and one.piece.wish.prompt == prompt and not one.reason
                for part in one.pictures
            ]
            if parts:
                settings = replace(self._looking, prompt=prompt)
                self._seen[prompt] = Looking(settings, self._device, self._cache, self._on_progress)
                self._seen[prompt].look(parts, folder)

    def looked(self, choice: Choice, other: Looking) -> Looking:
        """Return what was seen for a wish, or `other` for a clip."""
        return other if choice.piece.wish is None else self._seen.get(choice.piece.wish.prompt, other)

    def engine_of(self, choice: Choice) -> str:
        """Return the name of the engine for a wish, and nothing for a clip."""
        return "" if choice.piece.wish is None else self._engine

    def told(self, choice: Choice) -> dict[str, Any] | None:
        """Return how the sound of a choice was made; None for a clip."""
        return self._told.get(id(choice.piece))

    def made(self, choices: Sequence[Choice], folder: Path) -> list[Choice]:
        """Make the sounds, and return the choices with their files; what fails has its reason then.

        Parameters
        ----------
        choices : sequence of Choice
            Clips and wishes.
        folder : Path
            Where the sounds go; made if it is not there.

        Returns
        -------
        list of Choice

        Raises
        ------
        Cancelled, OutputUnwritable
            All else is the reason of one wish.
        """
        count = sum(choice.piece.wish is not None and not choice.reason for choice in choices)
        found: list[Choice] = []
        done = 0
        for choice in choices:
            if choice.piece.wish is None or choice.reason:
                found.append(choice)
                continue

            def report(stage: str, part: int, whole: int, done: int = done) -> None:
                first, share = _SHARES.get(stage, (0.0, 0.0))
                at = int((done + first + share * part / max(whole, 1)) * _FINE)
                self._on_progress("foley", at, count * _FINE)

            try:
                folder.mkdir(parents=True, exist_ok=True)
                found.append(self._made(choice, folder, report))
            except (Cancelled, OutputUnwritable):
                raise
            except FoleySpaceError as error:
                found.append(replace(choice, reason=error.problem + (f"; {error.cure}" if error.cure else "")))
            except OSError as error:
                from foleyspace_host.media.atomic import write_error

                raise write_error(error, folder) from error
            done += 1
            self._on_progress("foley", done * _FINE, count * _FINE)
        return found

    def _made(self, choice: Choice, folder: Path, report: Callable[[str, int, int], None]) -> Choice:
        from foleyspace_host.generate.fingerprint import fingerprint

        piece = choice.piece
        wish = piece.wish
        assert wish is not None  # noqa: S101 - it is asked for wishes alone
        seed = self._seed(choice) if wish.seed is None else wish.seed
        look = _timed_by(choice)
        request = stage_key(
            "generate",
            prompt=wish.prompt,
            negative=self._settings.negative,
            duration=piece.duration_s,
            seed=seed,
            engine=self._engine,
            made_with=fingerprint(self._engine),
            video=None if look is None else file_digest(look.path),
            span=None if look is None else look.span,
            looking=plain(self._looking) if look is not None else {},
        ).partition("-")[2]
        name = _NAME.sub("-", wish.prompt)[:40].strip("-") or "foley"
        sound, note = folder / f"{name}-{request[:16]}.wav", folder / f"{name}-{request[:16]}.json"
        told = _earlier(sound, note, request)
        if told is None:
            told = self._generated(choice, sound, seed, look, report) | {"request": request}
            told["sha256"] = file_digest(sound)
            note.write_text(json.dumps(told, indent=1), encoding="utf-8")
        done = replace(piece, path=sound, source_s=Fraction(0), notes=(*piece.notes, *told["warnings"]))
        self._told[id(done)] = told
        return replace(choice, piece=done)

    def _generated(
        self, choice: Choice, out: Path, seed: int, look: Look | None, report: Callable[[str, int, int], None]
    ) -> dict[str, Any]:
        """Make a sound, and return what is told of it."""
        from foleyspace_host.pipeline.generate import generate_file

        wish = choice.piece.wish
        assert wish is not None  # noqa: S101 - it is asked for wishes alone
        result = generate_file(
            wish.prompt,
            out,
            video=None if look is None else look.path,
            span=None if look is None else look.span,
            duration_s=choice.piece.duration_s,
            seed=seed,
            engine=self._engine,
            negative=self._settings.negative,
            label=self._looking.label,
            hfov_deg=self._looking.hfov_deg,
            device=self._device,
            cache=self._cache,
            on_progress=report,
        )
        return {
            "prompt": wish.prompt,
            "classes": [*_classes(wish.prompt)[0]],
            "negative": self._settings.negative,
            "seed": seed,
            "engine": result.engine,
            "licence": result.licence,
            "licence_accepted": result.licence_accepted,
            "timed_by": None if look is None else look.path.name,
            "seen_events": sum(one.seen_events for one in result.sounds),
            "models": [asdict(model) for model in result.provenance.models],
            "device": result.provenance.device,
            "warnings": list(result.warnings),
        }

    def _seed(self, choice: Choice) -> int:
        """Return a seed that the content of a wish gives: it stays when the marked clip is moved."""
        wish = choice.piece.wish
        assert wish is not None  # noqa: S101 - it is asked for wishes alone
        text = f"{self._settings.seed}|{wish.prompt}|{wish.content}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def _classes(prompt: str) -> tuple[tuple[str, ...], str]:
    """Return the classes of sounds that words name, or why there are none."""
    from foleyspace_host.generate.classes import classes_in

    try:
        return tuple(classes_in(prompt)), ""
    except FoleySpaceError as error:
        return (), error.problem + (f"; {error.cure}" if error.cure else "")


def _timed_by(choice: Choice) -> Look | None:
    """Return the part of a video that a sound goes with: where one picture, at its own speed, is all that is seen."""
    if choice.origin != "picture" or len(choice.pictures) != 1:
        return None
    (part,) = choice.pictures
    piece = choice.piece
    if part.picture.speed != 1 or (part.start_s, part.end_s) != (piece.start_s, piece.end_s):
        return None
    return look_of(part)


def _earlier(sound: Path, note: Path, request: str) -> dict[str, Any] | None:
    """Return what is told of a sound that was made earlier for the same request, if that is intact."""
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        if told["request"] == request and told["sha256"] == file_digest(sound):
            return dict(told)
    except (OSError, ValueError, KeyError, TypeError, FoleySpaceError):
        pass
    return None
