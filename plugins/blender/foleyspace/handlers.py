"""What happens by itself: bindings are put in order as strips are copied and removed, and the host is looked for."""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from . import bindings, host_status, leftovers, running

__all__ = ["register", "unregister"]

LOOK_S = 1.0
CONNECTING_S = 0.1


@persistent
def _on_load_pre(*_: object) -> None:
    running.cancel()


@persistent
def _on_load_post(*_: object) -> None:
    bindings.reconcile()
    leftovers.restart()
    running.publish()


@persistent
def _on_save_pre(*_: object) -> None:
    bindings.reconcile()


def _look() -> float:
    """See whether strips were copied and how the host is, but not while a render holds the data."""
    if bpy.app.is_job_running("RENDER"):
        return LOOK_S
    if running.current() is not None:  # which looks after both
        host_status.publish()
        return LOOK_S
    bindings.reconcile()
    leftovers.look()
    host_status.look()
    return CONNECTING_S if host_status.is_connecting() else LOOK_S


_HANDLERS = (("load_pre", _on_load_pre), ("load_post", _on_load_post), ("save_pre", _on_save_pre))


def register() -> None:
    """Begin to look after bindings and the host."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    bpy.app.timers.register(_look, first_interval=LOOK_S, persistent=True)


def unregister() -> None:
    """Leave them alone."""
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    for name, handler in _HANDLERS:
        if handler in getattr(bpy.app.handlers, name):
            getattr(bpy.app.handlers, name).remove(handler)
