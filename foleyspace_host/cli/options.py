"""Options that several commands share, worded once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from foleyspace_host.cli.flow_options import FLOW_OPTIONS

__all__ = [
    "FILE",
    "detector_option",
    "hfov_option",
    "host_options",
    "hrtf_option",
    "json_option",
    "label_option",
    "profile_option",
    "prompt_option",
    "render_options",
    "report_options",
    "sound_options",
    "source_option",
    "vision_options",
]

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

FILE = click.Path(path_type=Path)
"""Any path: the pipeline, not the parser, tells what is wrong with a file."""


def json_option() -> Decorator:
    """``--json``: the result, or the error, as one JSON object."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")


def profile_option() -> Decorator:
    """``--profile``: which host."""
    return click.option(
        "--profile", default="default", show_default=True, metavar="NAME", help="Host, jobs and settings of its own."
    )


def host_options() -> Decorator:
    """``--host`` and ``--profile``: let the host do the work."""
    flag = click.option(
        "--host",
        "in_host",
        is_flag=True,
        help="Let the host do it, which is started if it is not running: the job outlives this command's window.",
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        return flag(profile_option()(command))

    return decorate


def label_option() -> Decorator:
    """``--label``: the class to follow."""
    return click.option("--label", metavar="NAME", help='What to follow, for example car, or "steam train".')


def prompt_option() -> Decorator:
    """``--prompt``: words for the sound."""
    return click.option(
        "--prompt", metavar="TEXT", help="Words for the sound; what they name is followed where no label is given."
    )


def source_option() -> Decorator:
    """``--source``: which of the things that were found shall sound."""
    return click.option(
        "--source",
        multiple=True,
        metavar="ID",
        help="Let this source sound instead of the likeliest, for example person-2; may be given several times.",
    )


def hfov_option() -> Decorator:
    """``--hfov``: the camera's field of view."""
    return click.option(
        "--hfov",
        "hfov_deg",
        type=float,
        default=60.0,
        show_default=True,
        metavar="DEG",
        help="Field of view of the camera over the longer side of the picture.",
    )


def detector_option() -> Decorator:
    """``--detector``: a detector instead of the shipped one."""
    return click.option(
        "--detector", type=FILE, metavar="FILE.onnx", help="Detector to use instead of the shipped CenterNet."
    )


def vision_options() -> Decorator:
    """``--detector``, and the models of the user's: ``--open-vocabulary``, ``--depth`` and ``--depth-kind``."""
    words = click.option(
        "--open-vocabulary",
        metavar="FILE.onnx|NAME|none",
        help="Model that looks for any words; by default the one added last, if label or prompt name no class.",
    )
    depth = click.option(
        "--depth",
        metavar="FILE.onnx|NAME|none",
        help="Depth model for distances; by default the one added last.",
    )
    kind = click.option(
        "--depth-kind", metavar="KIND", help="What the depth model is, where its inputs and outputs do not tell."
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in (kind, depth, words, detector_option()):
            command = option(command)
        return command

    return decorate


def report_options() -> Decorator:
    """``--report`` and ``--report-embed``: the page to correct a trajectory on."""
    page = click.option(
        "--report",
        type=FILE,
        metavar="R.html",
        help="Also write a page that shows the trajectory over the video and lets you correct it.",
    )
    embed = click.option(
        "--report-embed",
        "report_embed_mb",
        type=float,
        default=64.0,
        show_default=True,
        metavar="MB",
        help="Largest video inside the page; a larger one stays beside it. 0 keeps every video out.",
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        return page(embed(command))

    return decorate


def hrtf_option() -> Decorator:
    """``--hrtf``: a set of responses instead of the shipped one."""
    return click.option("--hrtf", type=FILE, metavar="FILE.sofa", help="HRTF set to use instead of the shipped KEMAR.")


def _spread_option() -> Decorator:
    return click.option(
        "--spread",
        type=float,
        default=1.0,
        show_default=True,
        metavar="X",
        help="Factor on azimuths: 1 is true geometry, 1.5 to 2 plays wider than the picture.",
    )


def _distance_gain_option() -> Decorator:
    return click.option(
        "--distance-gain",
        type=click.Choice(["relative", "physical", "none"]),
        default="relative",
        show_default=True,
        help="Level over distance: around the clip's own level, 1/r against 1 m (for dry sound), or none.",
    )


def _propagation_option() -> Decorator:
    return click.option(
        "--propagation",
        type=click.Choice(["none", "doppler", "physical"]),
        default="none",
        show_default=True,
        help="Travel time of the sound: none keeps exact sync, doppler its changes, physical all of it.",
    )


def _air(context: click.Context, parameter: click.Parameter, value: str) -> Any:
    """Read ``off``, or a temperature and a humidity."""
    from foleyspace_host.errors import InvalidInput
    from foleyspace_host.render.air import Air

    if value == "off":
        return None
    try:
        temperature, humidity = (float(part) for part in value.split(","))
        return Air(temperature, humidity)
    except ValueError:
        problem = f"{value!r} is neither off nor two numbers such as 20,50"
    except InvalidInput as error:
        problem = str(error)
    raise click.BadParameter(problem, context, parameter)


def _air_option() -> Decorator:
    return click.option(
        "--air",
        callback=_air,
        default="20,50",
        show_default=True,
        metavar="CELSIUS,HUMIDITY|off",
        help="Air that dulls far sources: temperature and relative humidity in percent.",
    )


def _format_option() -> Decorator:
    return click.option(
        "--format",
        type=click.Choice(["binaural", "foa", "hoa2", "hoa3", "stereo", "5.1", "7.1.4"]),
        default="binaural",
        show_default=True,
        help="Channels of the result: two ears, Ambisonics of order 1 to 3 (AmbiX), or loudspeakers.",
    )


def _room_option() -> Decorator:
    return click.option(
        "--room",
        metavar="NAME|SPEC|FILE.json",
        help="Room around source and listener: studio, living-room, hall, church, street, forest, dry, or for "
        "example hall:rt60=1.6 or shoebox:6x4x3,rt60=0.5. Dry if not given.",
    )


def _extent_option() -> Decorator:
    return click.option(
        "--extent",
        "extent_deg",
        type=float,
        metavar="DEG",
        help="Width of the source, 0 (a point) to 180, instead of the trajectory's own.",
    )


def _channels_option() -> Decorator:
    return click.option(
        "--channels",
        type=click.Choice(["mono", "spread"]),
        default="mono",
        show_default=True,
        help="Sum the channels of the sound, or place them side by side.",
    )


def _channel_angle_option() -> Decorator:
    return click.option(
        "--channel-angle",
        "channel_angle_deg",
        type=float,
        default=30.0,
        show_default=True,
        metavar="DEG",
        help="With --channels spread: angle of the left channel to the source's direction.",
    )


def _bit_depth_option() -> Decorator:
    return click.option(
        "--bit-depth",
        type=click.Choice(["16", "24", "float"]),
        help="Samples of a sound file, 24 if not given, but float in what `render` writes as .wav; 16 and 24 are "
        "dithered, and turned down where they would pass -1 dBTP.",
    )


def _time_reference_option() -> Decorator:
    return click.option(
        "--time-reference",
        type=int,
        metavar="SAMPLES",
        help="Where a .wav file starts, in samples since midnight; as the placed Broadcast Wave file if not given.",
    )


def sound_options() -> Decorator:
    """Return all that says what becomes of the channels and of the samples; see `RenderSettings`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in (_time_reference_option, _bit_depth_option, _channel_angle_option, _channels_option):
            command = option()(command)
        return command

    return decorate


def render_options() -> Decorator:
    """Return all that says how to render; the names are those of `RenderOptions`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            *FLOW_OPTIONS,
            _extent_option,
            _room_option,
            _format_option,
            _air_option,
            _propagation_option,
            _distance_gain_option,
            _spread_option,
        ):
            command = option()(command)
        return command

    return decorate
