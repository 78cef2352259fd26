"""Which models look at a clip, decided before the long stages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.errors import InvalidInput
from foleyspace_host.pipeline.provenance import ModelUse, detector_used
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
        What finds things: the detector, or a model that is told in words what to look for.
    words : UserModel or None
        The latter, if it is one.
    phrase : str or None
        What it looks for.
    depth : UserModel or None
        What tells depth, if anything does.
    depth_kind : str or None
        What that is; None to go by what it was added as, or by its inputs and outputs.
    """

    detector: ModelUse
    words: UserModel | None = None
    phrase: str | None = None
    depth: UserModel | None = None
    depth_kind: str | None = None

    @property
    def used(self) -> list[ModelUse]:
        """The models, for provenance."""
        return [self.detector] + ([] if self.depth is None else [ModelUse(self.depth.name, self.depth.sha256)])

    @property
    def files(self) -> list[Path]:
        """The files of the user's models, which no result may take the place of."""
        return [model.path for model in (self.words, self.depth) if model is not None]

    @property
    def key(self) -> dict[str, object]:
        """All that a result depends on, for the key of a cache."""
        depth = None if self.depth is None else (self.depth.sha256, self.depth_kind or self.depth.kind)
        return {"model": self.detector.sha256, "phrase": self.phrase, "depth": depth}


def what_sees(settings: LocalizeSettings) -> Seeing:
    """Decide which models look.

    A model that is told in words what to look for does so where it was asked for, and else where one was added and
    the label is more than the name of a class that the detector knows. A depth model tells depth where it was
    asked for, or where one was added.

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
    from foleyspace_host.localize.see.classes import is_class_name
    from foleyspace_host.models.slots import NONE, user_model

    if settings.depth_kind is not None:
        depth_kind(settings.depth_kind)
    depth = user_model("depth", settings.depth)
    wanted, phrase = settings.open_vocabulary, settings.label
    words = None
    if wanted is None:
        if settings.detector is None and phrase is not None and not is_class_name(phrase):
            words = user_model("open-vocabulary")
    elif wanted != NONE:
        if settings.detector is not None:
            raise InvalidInput("two detectors are one too many", where="open vocabulary", cure="leave one of them out")
        phrase = phrase or settings.prompt
        if phrase is None:
            raise InvalidInput(
                "there are no words to look for",
                where="open vocabulary",
                cure='say what to find: --label "steam train"',
            )
        words = user_model("open-vocabulary", wanted)
    if words is None:
        return Seeing(detector_used(settings.detector), None, None, depth, settings.depth_kind)
    return Seeing(ModelUse(words.name, words.sha256), words, phrase, depth, settings.depth_kind)
