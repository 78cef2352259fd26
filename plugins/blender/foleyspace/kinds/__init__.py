"""What each kind of task does with its strips; how they are worked on is `task`.

A kind makes a `Work` of each strip (`collect`), finds out what the host has to know (`prepare`), asks for it
(`request`), takes what was made (`take`) and puts it into the file (`place`). Those of them that take time are
generators that yield between small steps; nothing that they hold of Blender's data outlives a yield.
"""

from __future__ import annotations

from .base import Kind, Work
from .generate import Generate
from .localize import Localize
from .spatialize import Spatialize

__all__ = ["KINDS", "Kind", "Work"]

KINDS: dict[str, type[Kind]] = {"generate": Generate, "localize": Localize, "spatialize": Spatialize}
