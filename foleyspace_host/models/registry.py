"""The list of what ships: name, licence, origin and digest of every model and measured data set."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from foleyspace_host.errors import ModelUnavailable

__all__ = ["ENTRIES", "ModelEntry", "entry", "find", "verify"]

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One shipped file.

    Parameters
    ----------
    name : str
        Short name, as options and results use it.
    file : str
        Path inside the package, with forward slashes.
    task : str
        What it is for: "detection", "audio tagging", "binaural flow", "foley generation" or "hrtf".
    version : str
        Version of the origin.
    licence : str
        Terms as the origin states them.
    origin : str
        Where it comes from, and how the file was made from that.
    sha256 : str
        Digest of the file, lower-case hexadecimal.
    size_bytes : int
        Its length.
    notes : str
        What a user should know before relying on it.
    """

    name: str
    file: str
    task: str
    version: str
    licence: str
    origin: str
    sha256: str
    size_bytes: int
    notes: str = ""

    @property
    def path(self) -> Path:
        """Where the file lies in this installation."""
        return _PACKAGE / self.file


ENTRIES: tuple[ModelEntry, ...] = (
    ModelEntry(
        name="centernet",
        file="models/assets/centernet.onnx",
        task="detection",
        version="@vladmandic/human 3.3.6",
        licence="upstream licence: unstated (the npm package it is taken from is MIT)",
        origin=(
            "MobileNetV3-CenterNet trained by github.com/610265158/mobilenetv3_centernet, as a TensorFlow.js"
            " graph in npm @vladmandic/human 3.3.6, converted by tools/convert_centernet.py"
        ),
        sha256="bda7b6012be97c6eccbb7465db3c13c604af2e5c6f2324fc3ccc130c40b53081",
        size_bytes=4176021,
        notes="80 COCO classes, 512 x 512; a model of the same signature can take its place (--detector)",
    ),
    ModelEntry(
        name="yamnet",
        file="models/assets/yamnet.onnx",
        task="audio tagging",
        version="1 (AudioSet, 2019)",
        licence="Apache-2.0",
        origin=(
            "YAMNet, weights by Google (tensorflow/models, research/audioset), as an ONNX file of tf2onnx, its"
            " weights stored in 16 bits by tools/convert_yamnet.py"
        ),
        sha256="3e5cacfa26a43445fb4e7d5e28c6439e854e50c63d4bec0cc7dac2c184334ad0",
        size_bytes=7563659,
        notes="521 AudioSet classes, 16 kHz; listens which of the things seen is heard",
    ),
    ModelEntry(
        name="binaural-flow",
        file="models/assets/binaural-flow.onnx",
        task="binaural flow",
        version="base-cpu, 2600 steps, 2026-11-23",
        licence="Apache-2.0; keep the notice of the CIPIC HRTF database",
        origin=(
            "trained by training/binaural_flow on 32 heads of the CIPIC HRTF database and the KEMAR, and on sounds of"
            " OpenSFX (CC BY 3.0, CC0), of Sonic Pi (CC0) and of espeak-ng; its weights stored in 16 bits"
        ),
        sha256="4f3de7564823a25fee136ddeb8a71c048e8de780b03ffdc44c2c4f8dea2183c9",
        size_bytes=696640,
        notes="adds rooms of 0.15 to 0.6 s (--renderer diffusion); measured in models/assets/binaural-flow.md",
    ),
    ModelEntry(
        name="foley",
        file="models/assets/foley.onnx",
        task="foley generation",
        version="base-cpu, 6000 steps, 2026-11-23",
        licence="Apache-2.0; its card names the authors of the recordings under CC BY that it learnt from",
        origin=(
            "trained by training/foley on recordings of Debian packages (CC0, CC BY, public domain) and on sounds that"
            " it computed itself; its weights stored in 16 bits"
        ),
        sha256="9bde1745ac8e079a4bf5c5e2cfbb9655e9cdd1d0cd63399ab888b45ddfe24094",
        size_bytes=6287100,
        notes="36 classes, 48 kHz mono (foleyspace generate); measured in models/assets/foley.md",
    ),
    ModelEntry(
        name="kemar",
        file="hrtf/assets/MIT_KEMAR_normal_pinna.sofa",
        task="hrtf",
        version="1994 measurement, SOFA file of libmysofa",
        licence="free without restriction, provided the authors are cited",
        origin="Gardner and Martin, HRTF Measurements of a KEMAR Dummy-Head Microphone, MIT Media Lab, 1994",
        sha256="2768ac841213a7ae11d1ea7fd0f25a69b39216102dc5dd913ea6ba0f0dc57e28",
        size_bytes=1173158,
        notes="710 directions, 512 taps, 44.1 kHz; any other SOFA file can take its place (--hrtf)",
    ),
)


def entry(name: str, also: tuple[str, ...] = ()) -> ModelEntry:
    """Return the entry with this name.

    Parameters
    ----------
    name : str
        Name to look for.
    also : tuple of str
        Other names that could have been meant, for the message.

    Returns
    -------
    ModelEntry

    Raises
    ------
    ModelUnavailable
        If there is none; the message lists those there are.
    """
    for candidate in ENTRIES:
        if candidate.name == name:
            return candidate
    names = ", ".join([*(candidate.name for candidate in ENTRIES), *also])
    raise ModelUnavailable("there is no model of this name", where=name, cure=f"choose one of: {names}")


def find(name: str, replacement: str | Path | None = None) -> Path:
    """Return the file to load for a model.

    Parameters
    ----------
    name : str
        Name of a shipped model.
    replacement : str or Path, optional
        A file of the user's that takes its place.

    Returns
    -------
    Path
        An existing file.

    Raises
    ------
    ModelUnavailable
        If the file is not there.
    """
    if replacement is not None:
        path = Path(replacement)
        if not path.is_file():
            raise ModelUnavailable("there is no such model file", where=str(path), cure="check the path")
        return path
    path = entry(name).path
    if not path.is_file():
        raise ModelUnavailable(
            f"the {name} model is missing from this installation",
            where=str(path),
            cure="install the package again",
        )
    return path


def verify(name: str) -> None:
    """Check that a shipped file is whole and unchanged.

    Parameters
    ----------
    name : str
        Name of a shipped model.

    Raises
    ------
    ModelUnavailable
        If the file is missing or its digest is not the registered one.
    """
    expected = entry(name)
    with find(name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != expected.sha256:
        raise ModelUnavailable(
            f"the {name} model is damaged: its sha256 is {digest}, not {expected.sha256}",
            where=str(expected.path),
            cure="install the package again",
        )
