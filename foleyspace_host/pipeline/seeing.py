"""Which models look at a clip, decided before the long stages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.errors import InvalidInput
from foleyspace_host.pipeline.provenance import ModelUse, detector_used, own_used
from foleyspace_host.pipeline.settings import LocalizeSettings

if TYPE_CHECKING:
    from foleyspace_host.models.slots import UserModel

__all__ = ["Seeing", "what_sees"]


@dataclass(frozen=True, slots=True)
class Seeing:
    """The models that look.

    Parameters
    ----------
    detector : ModelUse
        The detector; also where another model is told in words what to look for, in case that finds nothing.
    words : UserModel or None
        A model that is told in words what to look for, if one is.
    phrase : str or None
        What it looks for.
    depth : UserModel or None
        What tells depth, if anything does.
    depth_kind : str or None
        What that is; None to go by what it was added as, or by its inputs and outputs.
    must_find : bool
        Whether it is an error if what the words name is not found; else the detector looks then.
    """

    detector: ModelUse
    words: UserModel | None = None
    phrase: str | None = None
    depth: UserModel | None = None
    depth_kind: str | None = None
    must_find: bool = True

    @property
    def used(self) -> list[ModelUse]:
        """The models, for provenance."""
        finder = [self.detector] if self.words is None else own_used(self.words)
        return finder + ([] if self.depth is None else own_used(self.depth))

    @property
    def files(self) -> list[Path]:
        """The files of the user's models, which no result may take the place of."""
        return [file for model in (self.words, self.depth) if model is not None for file in model.files]

    @property
    def key(self) -> dict[str, object]:
        """All that a result depends on, for the key of a cache."""
        return {
            "detector": self.detector.sha256,
            "words": None if self.words is None else (self.words.digests, self.phrase, self.must_find),
            "depth": None if self.depth is None else (self.depth.digests, self.depth_kind or self.depth.kind),
        }


def what_sees(settings: LocalizeSettings) -> Seeing:
    """Decide which models look.

    A model that is told in words what to look for does so where it was asked for; else where one was added, and
    the label is more than the name of a class that the detector knows, or there is no label and the prompt names
    no such class. A depth model tells depth where it was asked for, or where one was added.

    Parameters
    ----------
    settings : LocalizeSettings
        How the source is found.

    Returns
    -------
    Seeing

    Raises
    ------
    ModelUnavailable
        If one of the models is not there.
    InvalidInput
        If there are no words for a model that needs some, or the kind of depth model is unknown.
    """
    from foleyspace_host.localize.place.depth_kinds import depth_kind
    from foleyspace_host.models.slots import NONE, user_model

    if settings.depth_kind is not None:
        depth_kind(settings.depth_kind)
    depth = user_model("depth", settings.depth)
    wanted, phrase = settings.open_vocabulary, settings.label or settings.prompt
    words = None
    if wanted is None:
        if settings.detector is None and phrase is not None and _beyond_classes(settings):
            words = user_model("open-vocabulary")
    elif wanted != NONE:
        if settings.detector is not None:
            raise InvalidInput("two detectors are one too many", where="open vocabulary", cure="leave one of them out")
        if phrase is None:
            raise InvalidInput(
                "there are no words to look for",
                where="open vocabulary",
                cure='say what to find: --label "steam train"',
            )
        words = user_model("open-vocabulary", wanted)
    return Seeing(
        detector_used(settings.detector),
        words,
        None if words is None else phrase,
        depth,
        settings.depth_kind,
        must_find=settings.label is not None or wanted is not None,
    )


def _beyond_classes(settings: LocalizeSettings) -> bool:
    """Say whether the words are for a model that knows more than the detector's classes."""
    from foleyspace_host.localize.see.classes import CLASSES, is_class_name, matching_names

    if settings.label is not None:
        return not is_class_name(settings.label)
    return not matching_names(settings.prompt or "", [one.name for one in CLASSES])
