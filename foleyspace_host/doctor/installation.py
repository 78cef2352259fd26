"""Python, the libraries and the models."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from foleyspace_host import __version__
from foleyspace_host.doctor.verdict import Verdict
from foleyspace_host.errors import FoleySpaceError

__all__ = ["check_ffmpeg", "check_models", "check_packages", "check_python", "check_runtime"]

_TESTED = ((3, 11), (3, 13))
_AGAIN = 'install the package again: pip install --force-reinstall "foleyspace-host[cpu]"'

# what nearly every video needs, and what some do
_DECODERS = ("h264", "aac", "mpeg4", "mp3", "pcm_s16le")
_MORE_DECODERS = ("hevc", "vp9", "av1", "prores", "flac", "opus", "vorbis")
_ENCODERS = ("aac", "flac", "pcm_f32le")


def check_python(_profile: str) -> Iterator[Verdict]:
    """Check the version of Python."""
    name = f"{platform.python_version()} at {sys.executable}, FoleySpace {__version__}"
    now = sys.version_info[:2]
    if now < _TESTED[0]:
        yield Verdict("Python", "red", f"{name}: too old", "use Python 3.11 or newer")
    elif now > _TESTED[1]:
        yield Verdict("Python", "yellow", f"{name}: newer than what it was tested with", "use 3.11 to 3.13")
    else:
        yield Verdict("Python", "green", name)


def check_packages(_profile: str) -> Iterator[Verdict]:
    """Check that the libraries are there."""
    try:
        wanted = requires("foleyspace-host") or []
    except PackageNotFoundError:
        yield Verdict("packages", "yellow", "FoleySpace runs from a folder and is not installed", "pip install -e .")
        return
    names = [re.split(r"[\s<>=!~;\[(]", line, maxsplit=1)[0] for line in wanted if "extra ==" not in line]
    missing = [name for name in names if not _installed(name)]
    if missing:
        yield Verdict("packages", "red", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    else:
        yield Verdict("packages", "green", f"all {len(names)} are installed")


def check_runtime(_profile: str) -> Iterator[Verdict]:
    """Check ONNX Runtime, and what it computes on."""
    from foleyspace_host.models.hardware import find_cuda, find_runtime

    found = find_runtime()
    if not found.available:
        yield Verdict("ONNX Runtime", "red", f"{found.reason}: nothing can be localized", found.cure)
        return
    try:
        import onnxruntime
    except Exception as error:
        yield Verdict("ONNX Runtime", "red", f"cannot be loaded ({error})", _AGAIN)
        return
    name = f"{onnxruntime.__version__}"
    if _installed("onnxruntime") and _installed("onnxruntime-gpu"):
        cure = "pip uninstall onnxruntime onnxruntime-gpu, then install one of them"
        yield Verdict("ONNX Runtime", "yellow", f"{name}: two builds are installed over each other", cure)
        return
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        cuda = find_cuda()
        if not cuda.available and "GPU build" in (cuda.reason or ""):  # there is a GPU
            yield Verdict("ONNX Runtime", "yellow", f"{name} on the CPU, though there is a GPU", cuda.cure)
        else:
            yield Verdict("ONNX Runtime", "green", f"{name} on the CPU")
        return
    from foleyspace_host.models.registry import find
    from foleyspace_host.models.session import open_session

    session = open_session(find("centernet"), device="cuda")
    if session.device == "cuda":
        yield Verdict("ONNX Runtime", "green", f"{name} on CUDA")
    else:
        cure = "install the CUDA and cuDNN that its release notes name"
        yield Verdict("ONNX Runtime", "yellow", f"{name} on the CPU: {'; '.join(session.warnings)}", cure)


def check_models(_profile: str) -> Iterator[Verdict]:
    """Check that the shipped files, and those of models that were added, are whole, by their checksums."""
    from foleyspace_host.models.registry import ENTRIES, verify
    from foleyspace_host.models.slots import damage, installed

    whole = []
    for entry in ENTRIES:
        try:
            verify(entry.name)
            whole.append(entry.name)
        except FoleySpaceError as error:
            yield Verdict("models", "red", error.problem, _AGAIN)
    if whole:
        yield Verdict("models", "green", f"checksums are right: {', '.join(whole)}")
    kept = []
    for model in installed():
        if problem := damage(model):
            cure = f"foleyspace models remove {model.name}, and add it again"
            yield Verdict("models", "red", f"{model.name}, which you added, is damaged: {problem}", cure)
        else:
            kept.append(f"{model.name} ({model.slot})")
    if kept:
        yield Verdict("models", "green", f"added by you: {', '.join(kept)}")


def check_ffmpeg(_profile: str) -> Iterator[Verdict]:
    """Check the libraries of FFmpeg inside PyAV."""
    try:
        import av
    except Exception as error:
        yield Verdict("FFmpeg", "red", f"PyAV cannot be loaded ({error})", "pip install --force-reinstall av")
        return
    versions = ", ".join(
        f"{name} {'.'.join(map(str, number))}"
        for name, number in sorted(av.library_versions.items())
        if name in ("libavcodec", "libavformat")
    )
    name = f"{versions} in PyAV {av.__version__}"
    lacking = [codec for codec in _DECODERS if not _has(codec, "r")]
    lacking += [f"{codec} (to write)" for codec in _ENCODERS if not _has(codec, "w")]
    if lacking:
        cure = "use PyAV's wheel: pip install --force-reinstall --only-binary av av"
        yield Verdict("FFmpeg", "red", f"{name} lacks {', '.join(lacking)}", cure)
        return
    lacking = [codec for codec in _MORE_DECODERS if not _has(codec, "r")]
    if lacking:
        yield Verdict("FFmpeg", "yellow", f"{name} lacks {', '.join(lacking)}", "use PyAV's wheel from PyPI")
    else:
        yield Verdict("FFmpeg", "green", name)


def _has(codec: str, mode: str) -> bool:
    import av.codec

    try:
        av.codec.Codec(codec, "w" if mode == "w" else "r")
    except ValueError:  # av's UnknownCodecError is one
        return False
    return True


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
