"""FoleySpace puts a sound where the picture shows it.

The names below are the whole public interface; each is loaded when it is first used, so that
``import foleyspace_host`` is quick::

    import foleyspace_host as foleyspace

    trajectory = foleyspace.localize("street.mp4", label="car")
    binaural = foleyspace.render(mono, 48000, trajectory)
    foleyspace.spatialize("street.mp4", "street-binaural.mp4")
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foleyspace_host import errors as errors
    from foleyspace_host.client import Client as Client
    from foleyspace_host.geometry.camera import Camera as Camera
    from foleyspace_host.geometry.trajectory import Key as Key
    from foleyspace_host.geometry.trajectory import Source as Source
    from foleyspace_host.geometry.trajectory import Trajectory as Trajectory
    from foleyspace_host.geometry.trajectory_file import read_trajectory as read_trajectory
    from foleyspace_host.localize.localizer import localize as localize
    from foleyspace_host.pipeline.spatialize import spatialize as spatialize
    from foleyspace_host.render.room.model import RoomModel as RoomModel
    from foleyspace_host.render.stream import render as render

__version__ = "0.1.0"

__all__ = [
    "Camera",
    "Client",
    "Key",
    "RoomModel",
    "Source",
    "Trajectory",
    "__version__",
    "errors",
    "localize",
    "read_trajectory",
    "render",
    "spatialize",
]

_HOMES = {
    "Camera": "foleyspace_host.geometry.camera",
    "Client": "foleyspace_host.client",
    "Key": "foleyspace_host.geometry.trajectory",
    "RoomModel": "foleyspace_host.render.room.model",
    "Source": "foleyspace_host.geometry.trajectory",
    "Trajectory": "foleyspace_host.geometry.trajectory",
    "localize": "foleyspace_host.localize.localizer",
    "read_trajectory": "foleyspace_host.geometry.trajectory_file",
    "render": "foleyspace_host.render.stream",
    "spatialize": "foleyspace_host.pipeline.spatialize",
}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("foleyspace_host.errors")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """The package, with the functions `localize` and `render` in front of the folders of the same names.

    Importing a folder binds it as an attribute of the package, over whatever stood there. A property of
    the module's class wins over attributes, so that the name means the function whatever came first.
    """

    @property
    def localize(self) -> Any:
        return __getattr__("localize")

    @localize.setter
    def localize(self, folder: ModuleType) -> None:
        pass

    @property
    def render(self) -> Any:
        return __getattr__("render")

    @render.setter
    def render(self, folder: ModuleType) -> None:
        pass


sys.modules[__name__].__class__ = _Package
