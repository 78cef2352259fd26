"""Runs MMAudio (github.com/hkchengrex/MMAudio) in the interpreter and the checkout that it was installed in.

Called as ``PYTHON mmaudio_runner.py REQUEST.json``, see ``docs/foley.md``. The request's ``weights`` is the folder of
the checkout, whose ``weights`` and ``ext_weights`` hold the files; none is downloaded, unless the environment variable
``FOLEYSPACE_ALLOW_DOWNLOADS`` is 1. ``MMAUDIO_VARIANT`` chooses the model, ``large_44k_v2`` if it is not set.
"""

from __future__ import annotations

import array
import hashlib
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["main"]

_GUIDANCE = 4.5
_CLIP_HZ, _SYNC_HZ = 8, 25  # pictures that its two encoders of video look at
_LICENCE = "code MIT, weights CC BY-NC 4.0 (no commercial use)"


def main(place: str) -> int:
    """Make the sound that a request asks for.

    Parameters
    ----------
    place : str
        The request's file.

    Returns
    -------
    int
        Exit code.
    """
    asked = json.loads(Path(place).read_text(encoding="utf-8"))
    if asked["weights"]:
        os.chdir(asked["weights"])  # where it looks for its files
        sys.path.insert(0, os.getcwd())
    torch: Any = import_module("torch")
    evaluation: Any = import_module("mmaudio.eval_utils")
    model = evaluation.all_model_cfg[os.environ.get("MMAUDIO_VARIANT", "large_44k_v2")]
    if os.environ.get("FOLEYSPACE_ALLOW_DOWNLOADS") == "1":
        model.download_if_needed()
    elif missing := [str(path) for path in _files(model) if not Path(path).is_file()]:
        raise FileNotFoundError(f"weights are missing: {', '.join(missing)} (nothing is downloaded)")
    device = "cuda" if asked["device"] != "cpu" and torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    with torch.inference_mode():
        samples, rate_hz = _made(torch, evaluation, model, asked, device, dtype)
    _write_wav(Path(asked["output"]), samples, rate_hz)
    with Path(model.model_path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    told = {"model": f"MMAudio {model.model_name}", "licence": _LICENCE, "sha256": digest}
    print(json.dumps(told | {"peak_memory_mb": _peak_mb(torch, device)}), flush=True)
    return 0


def _made(
    torch: Any, evaluation: Any, model: Any, asked: dict[str, Any], device: str, dtype: Any
) -> tuple[list[float], int]:
    networks: Any = import_module("mmaudio.model.networks")
    net = networks.get_my_mmaudio(model.model_name).to(device, dtype).eval()
    net.load_weights(torch.load(model.model_path, map_location=device, weights_only=True))
    features = (
        import_module("mmaudio.model.utils.features_utils")
        .FeaturesUtils(
            tod_vae_ckpt=model.vae_path,
            synchformer_ckpt=model.synchformer_ckpt,
            enable_conditions=True,
            mode=model.mode,
            bigvgan_vocoder_ckpt=model.bigvgan_16k_path,
            need_vae_encoder=False,
        )
        .to(device, dtype)
        .eval()
    )
    clip = sync = None
    duration_s = float(asked["duration_s"])
    if asked.get("video"):
        start_s = float(asked["video_start_s"])
        video = evaluation.load_video(Path(asked["video"]), start_s + duration_s)
        clip = video.clip_frames[round(start_s * _CLIP_HZ) :].unsqueeze(0)
        sync = video.sync_frames[round(start_s * _SYNC_HZ) :].unsqueeze(0)
    sequence = model.seq_cfg
    sequence.duration = duration_s
    net.update_seq_lengths(sequence.latent_seq_len, sequence.clip_seq_len, sequence.sync_seq_len)
    steps = int(asked["steps"])
    _count_steps(net, steps)
    flow = import_module("mmaudio.model.flow_matching").FlowMatching(
        min_sigma=0, inference_mode="euler", num_steps=steps
    )
    sound = evaluation.generate(
        clip,
        sync,
        [asked["prompt"]],
        negative_text=[asked["negative"]],
        feature_utils=features,
        net=net,
        fm=flow,
        rng=torch.Generator(device=device).manual_seed(int(asked["seed"])),
        cfg_strength=_GUIDANCE,
    )
    return sound.float().cpu()[0].flatten().tolist(), int(sequence.sampling_rate)


def _files(model: Any) -> list[Any]:
    paths = (model.model_path, model.vae_path, model.synchformer_ckpt, model.bigvgan_16k_path)
    return [path for path in paths if path is not None]


def _count_steps(net: Any, steps: int) -> None:
    """Tell of every evaluation of the network."""
    evaluate, done = net.ode_wrapper, 0

    def counted(*arguments: Any, **keywords: Any) -> Any:
        nonlocal done
        done += 1
        print(json.dumps({"done": min(done, steps), "total": steps}), flush=True)
        return evaluate(*arguments, **keywords)

    net.ode_wrapper = counted


def _write_wav(path: Path, samples: list[float], rate_hz: int) -> None:
    data = array.array("f", samples)
    if sys.byteorder == "big":
        data.byteswap()
    body = data.tobytes()
    form = b"".join(n.to_bytes(size, "little") for n, size in ((3, 2), (1, 2), (rate_hz, 4), (4 * rate_hz, 4)))
    form += (4).to_bytes(2, "little") + (32).to_bytes(2, "little")
    chunks = b"fmt " + len(form).to_bytes(4, "little") + form + b"data" + len(body).to_bytes(4, "little") + body
    path.write_bytes(b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WAVE" + chunks)


def _peak_mb(torch: Any, device: str) -> int:
    if device == "cuda":
        return round(torch.cuda.max_memory_allocated() / 1e6)
    try:
        resource: Any = import_module("resource")
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak / 1e3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
