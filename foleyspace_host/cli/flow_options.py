"""Options of the diffusion renderer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

__all__ = ["FLOW_OPTIONS"]

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _renderer_option() -> Decorator:
    return click.option(
        "--renderer",
        type=click.Choice(["hrtf", "diffusion"]),
        default="hrtf",
        show_default=True,
        help="By measured responses alone, or with a flow model that adds rooms, width and the listener's own ears.",
    )


def _quality_option() -> Decorator:
    return click.option(
        "--quality",
        type=click.Choice(["dsp", "draft", "fine"]),
        default="draft",
        show_default=True,
        help="With --renderer diffusion: evaluations of its model, none (the bytes of hrtf), one or four.",
    )


def _seed_option() -> Decorator:
    return click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="With --renderer diffusion: seed of its noise.",
    )


def _listener_option() -> Decorator:
    return click.option(
        "--listener",
        type=click.Path(path_type=Path),
        metavar="CODE.json",
        help="With --renderer diffusion: whose ears, as `foleyspace listener fit` found them.",
    )


def _flow_model_option() -> Decorator:
    return click.option(
        "--flow-model",
        type=click.Path(path_type=Path),
        metavar="FILE.onnx",
        help="With --renderer diffusion: model to use instead of the shipped one.",
    )


FLOW_OPTIONS = (_flow_model_option, _listener_option, _seed_option, _quality_option, _renderer_option)
"""All of them, the first one last."""
