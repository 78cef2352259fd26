"""Stable Audio, or any text-to-audio pipeline of diffusers that is called like it, from a folder of the user's.

Nothing is downloaded: the folder must hold the whole pipeline.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import SAMPLE_RATE_HZ
from foleyspace_host.errors import Cancelled, ModelUnavailable
from foleyspace_host.generate.external.pieces import joined, spans
from foleyspace_host.generate.impose import impose_in_place
from foleyspace_host.generate.request import Generated, GenerateRequest, Weights
from foleyspace_host.media.tape import Tape

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device

__all__ = ["StableAudioEngine"]

_STEPS = {"draft": 25, "normal": 50, "fine": 100}
_GUIDANCE = 7.0
_LONGEST_S = 40.0  # the pipeline's own limit is 47 s
_OVERLAP_S = 2.0
_SEEDS = 1 << 63


class StableAudioEngine:
    """Makes sounds with a pipeline of diffusers.

    Parameters
    ----------
    folder : Path
        The pipeline, as ``save_pretrained`` writes it.
    device : {"auto", "cpu", "cuda"}
        Where it computes.
    pipeline : object, optional
        One that is loaded already, instead of the folder's.

    Raises
    ------
    ModelUnavailable
        If torch or diffusers is missing, or the folder holds no such pipeline.
    """

    name = "stable-audio"

    def __init__(self, folder: Path, device: Device = "auto", pipeline: Any = None) -> None:
        self._folder = folder
        self._torch: Any = None
        if pipeline is None:
            pipeline, self._torch, self.device = _loaded(folder, device)
        else:
            self.device = "cpu"
        self._pipeline = pipeline

    def generate(self, request: GenerateRequest, *, on_progress: Callable[[int, int], None] | None = None) -> Generated:
        """Make a sound; see `Engine`.

        Parameters
        ----------
        request : GenerateRequest
            What is wanted.
        on_progress : callable, optional
            Called as on_progress(done, total) with steps of diffusion.

        Returns
        -------
        Generated

        Raises
        ------
        ModelUnavailable
            If the pipeline fails, or gives no sound.
        """
        overlap = round(_OVERLAP_S * SAMPLE_RATE_HZ)
        parts = list(spans(request.n_samples, round(_LONGEST_S * SAMPLE_RATE_HZ), overlap))
        whole = Tape(request.n_samples, request.scratch)
        steps = _STEPS[request.quality]
        for number, (first, stop) in enumerate(parts):

            def step(done: int, _t: Any, _latents: Any, at: int = number * steps) -> None:
                if on_progress is not None:
                    on_progress(at + done, len(parts) * steps)

            piece = self._piece(request, (stop - first) / SAMPLE_RATE_HZ, (request.seed + number) % _SEEDS, steps, step)
            joined(whole, piece[: stop - first], first, overlap)
        if request.envelope is not None:
            impose_in_place(whole, request.envelope)
        warnings = ("loops are not made by this engine: the ends do not meet",) if request.loop else ()
        index = self._folder / "model_index.json"
        digest = hashlib.sha256(index.read_bytes()).hexdigest() if index.is_file() else ""
        return Generated(
            whole,
            (Weights(f"{self._folder.name}/model_index.json", digest),),
            {"steps": steps, "pieces": len(parts), "pipeline": type(self._pipeline).__name__},
            warnings,
        )

    def _piece(
        self, request: GenerateRequest, seconds: float, seed: int, steps: int, step: Callable[..., Any]
    ) -> NDArray[np.float32]:
        generator = None if self._torch is None else self._torch.Generator(self.device).manual_seed(seed)
        try:
            answer = self._pipeline(
                request.prompt,
                negative_prompt=request.negative or None,
                audio_end_in_s=seconds,
                num_inference_steps=steps,
                guidance_scale=_GUIDANCE,
                generator=seed if generator is None else generator,
                callback=step,
                callback_steps=1,
            )
            sound = np.asarray(_plain(answer.audios[0]), dtype=np.float32)
            rate_hz = int(self._pipeline.vae.sampling_rate)
        except (Cancelled, KeyboardInterrupt):
            raise
        except Exception as error:  # whatever another project's code raises
            line = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelUnavailable(f"the pipeline failed: {line}", where=str(self._folder)) from error
        return _mono(sound, rate_hz, round(seconds * SAMPLE_RATE_HZ), str(self._folder))


def _plain(audio: Any) -> Any:
    """Return a tensor of torch as an array, and an array as it is."""
    return audio.detach().float().cpu().numpy() if hasattr(audio, "detach") else audio


def _mono(sound: NDArray[np.float32], rate_hz: int, n_samples: int, where: str) -> NDArray[np.float32]:
    """Return a sound of shape (n_channels, n) or (n,) as one channel at 48 kHz of a length."""
    from foleyspace_host.media.resample import resampled

    mono = sound.mean(axis=0) if sound.ndim == 2 else sound
    if mono.ndim != 1 or not len(mono) or not np.isfinite(mono).all():
        raise ModelUnavailable("the pipeline gave no sound that can be used", where=where, cure="check its weights")
    mono = np.concatenate(list(resampled(iter([mono]), rate_hz, SAMPLE_RATE_HZ)))[:n_samples]
    return np.pad(mono, (0, n_samples - len(mono))).astype(np.float32)


def _loaded(folder: Path, device: Device) -> tuple[Any, Any, str]:
    if not (folder / "model_index.json").is_file():
        raise ModelUnavailable("there is no model_index.json", where=str(folder), cure="name the pipeline's folder")
    try:
        # the user's own libraries, of which nothing is known here: neither versions nor types
        torch, diffusers = import_module("torch"), import_module("diffusers")
    except ImportError as error:
        raise ModelUnavailable(
            f"{error.name} is not installed",
            where="engine stable-audio",
            cure="pip install torch diffusers transformers",
        ) from error
    place = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    try:
        pipeline = diffusers.DiffusionPipeline.from_pretrained(str(folder), local_files_only=True).to(place)
    except Exception as error:  # whatever another project's code raises
        line = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelUnavailable(f"the pipeline cannot be loaded: {line}", where=str(folder)) from error
    return pipeline, torch, place
