"""What the user can do, one module for each idea."""

from __future__ import annotations

from . import binding, cancel, generate, host, leftovers, localize, spatialize

__all__ = ["CLASSES"]

CLASSES = (
    spatialize.FOLEYSPACE_OT_spatialize,
    spatialize.FOLEYSPACE_OT_spatialize_scene,
    localize.FOLEYSPACE_OT_localize,
    generate.FOLEYSPACE_OT_generate,
    generate.FOLEYSPACE_OT_generate_again,
    cancel.FOLEYSPACE_OT_cancel,
    binding.FOLEYSPACE_OT_select,
    binding.FOLEYSPACE_OT_jump,
    binding.FOLEYSPACE_OT_select_object,
    binding.FOLEYSPACE_OT_bind_object,
    binding.FOLEYSPACE_OT_unbind,
    leftovers.FOLEYSPACE_OT_remove_unused,
    host.FOLEYSPACE_OT_connect,
    host.FOLEYSPACE_OT_copy_command,
)
