"""From the fields of the panel to the settings of a job, and what this host cannot do of them."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import bpy

__all__ = [
    "generate_settings",
    "hfov_deg",
    "localize_settings",
    "reason_against",
    "render_settings",
]


def render_settings(scene: bpy.types.Scene) -> dict[str, Any]:
    """Return how to render, as the protocol's ``RenderSettings``."""
    chosen = scene.foleyspace
    found: dict[str, Any] = {
        "format": chosen.format,
        "renderer": chosen.renderer if chosen.format == "binaural" else "hrtf",
        "distance_gain": chosen.distance_gain,
        "propagation": chosen.propagation,
        "spread": round(chosen.spread, 4),
        "air": bool(chosen.air),
        "room": chosen.room_custom.strip() or "dry" if chosen.room == "CUSTOM" else chosen.room,
        "bit_depth": "float",
    }
    if found["renderer"] == "diffusion":
        found["quality"], found["seed"] = chosen.quality, chosen.seed
    if chosen.hrtf and chosen.format == "binaural":
        found["hrtf"] = _absolute(chosen.hrtf)
    return found


def localize_settings(scene: bpy.types.Scene) -> dict[str, Any]:
    """Return how to look for sources, as the protocol's ``LocalizeSettings``."""
    chosen = scene.foleyspace
    found: dict[str, Any] = {"hfov_deg": round(hfov_deg(scene), 3)}
    if chosen.label.strip():
        found["label"] = chosen.label.strip()[:64]
    return found


def generate_settings(scene: bpy.types.Scene) -> dict[str, Any]:
    """Return the fields of the protocol's ``GenerateJob`` that do not depend on strips."""
    chosen = scene.foleyspace
    told = {"prompt": chosen.prompt.strip()[:1000], "seed": chosen.generate_seed}
    return {**told, "engine": chosen.engine_name or None}


def hfov_deg(scene: bpy.types.Scene) -> float:
    """Return the field of view of the camera that filmed a video, over the longer side of the picture [deg]."""
    chosen, camera = scene.foleyspace, scene.camera
    if chosen.hfov == "CAMERA" and camera is not None and camera.type == "CAMERA" and camera.data.type == "PERSP":
        # of the rendered picture's two angles the wider one, whatever side the sensor is fitted to
        top_right = camera.data.view_frame(scene=scene)[0]
        longer = max(abs(top_right.x), abs(top_right.y))
        return min(max(math.degrees(2.0 * math.atan2(longer, abs(top_right.z))), 1.0), 179.0)
    return float(chosen.hfov_deg)


def reason_against(capabilities: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """Return why the host cannot do something; empty if it can, or has not been asked.

    Parameters
    ----------
    capabilities : mapping of str to mapping
        What the host said of itself, by name; empty if nothing is known yet.
    name : str
        Of the capability: "generate", "format:foa".
    """
    if not capabilities:
        return ""
    known = capabilities.get(name)
    if known is None:
        return "This host does not know of it; update FoleySpace"
    if known.get("available"):
        return ""
    return _sentence(str(known.get("reason") or "this host cannot do it"))


def _absolute(path: str) -> str:
    return os.path.abspath(bpy.path.abspath(path))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
