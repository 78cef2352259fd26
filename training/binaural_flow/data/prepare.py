"""Packs what training needs into one small folder, and unpacks it on the training device."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from foleyspace_host.errors import InvalidInput
from foleyspace_host.hrtf.ear_prior import learn_ears, shipped_ears
from foleyspace_host.hrtf.expected import ears_on_grid
from foleyspace_host.hrtf.listener import N_CODE, ListenerModel, learn_listeners, shipped_model
from foleyspace_host.hrtf.prepare import DEFAULT_SOFA
from foleyspace_host.hrtf.prepare import __file__ as _hrtf_module
from foleyspace_host.hrtf.sofa import read_sofa
from training.binaural_flow.data.credits import free_to_train, licence_of, licences
from training.binaural_flow.data.heads import Head, read_archive, read_folder, split_heads
from training.binaural_flow.data.invented import generated_sounds, spoken_sounds
from training.binaural_flow.data.listeners import ListenerBank
from training.binaural_flow.data.material import read_sounds
from training.binaural_flow.data.pack import pack_heads, unpack_heads
from training.binaural_flow.data.presets import Preset, Task
from training.binaural_flow.data.sound_bank import SoundBank
from training.flow.sounds import Sound, pack_sounds, unpack_sounds

__all__ = ["LIMIT_BYTES", "Data", "load", "prepare"]

LIMIT_BYTES = 40 << 20
"""Size that a prepared folder should not pass."""

_HEADS, _SOUNDS, _LISTENERS, _EARS = "heads.npz", "sounds.npz", "listeners.npz", "ears.npz"
_MANIFEST = "manifest.json"
_N_SPARSE = 2  # thinned sets of each head
_SHARES = {"recorded": 0.65, "spoken": 0.15, "generated": 0.2}


@dataclass(frozen=True, slots=True)
class Data:
    """What batches are made of.

    Parameters
    ----------
    heads : ListenerBank
        All heads, those held out among them.
    sounds, unseen : SoundBank
        Sounds for training, and those that are held out.
    listeners : ListenerModel
        What codes mean.
    """

    heads: ListenerBank
    sounds: SoundBank
    unseen: SoundBank
    listeners: ListenerModel


def prepare(
    out: Path,
    heads: Path,
    sounds: Sequence[Path],
    *,
    speech: bool = True,
    any_licence: bool = False,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, object]:
    """Pack heads and sounds into a folder.

    Parameters
    ----------
    out : Path
        Folder to write; made if it is missing.
    heads : Path
        An archive as `read_archive` takes it, to which the KEMAR that ships is added, or a folder of SOFA files.
    sounds : sequence of Path
        Folders of sounds. Where credits lie beside them, only sounds under CC0, CC BY or in the public domain
        are taken.
    speech : bool
        Whether espeak-ng, where it is installed, shall add sentences.
    any_licence : bool
        Take sounds under other licences as well: for models that are not given away.
    on_progress : callable, optional
        Called as on_progress(stage, done, total).

    Returns
    -------
    dict
        What was packed, as ``manifest.json`` tells it.

    Raises
    ------
    InvalidInput
        If there are no heads or no sounds.
    HrtfInvalid
        If a SOFA file cannot be used.
    """
    told = on_progress or (lambda _stage, _done, _total: None)
    all_heads = read_folder(heads) if heads.is_dir() else [*read_archive(heads), _kemar()]
    all_heads = split_heads(all_heads)
    kept: list[Sound] = []
    passed_over = 0
    for number, folder in enumerate(sounds):
        told("sounds", number, len(sounds))
        said = None if any_licence else licences(folder)
        found = read_sounds(folder)
        chosen = [sound for sound in found if said is None or free_to_train(licence_of(sound.name, said))]
        passed_over += len(found) - len(chosen)
        kept += chosen
    spoken = spoken_sounds() if speech else []
    if not kept and not spoken:
        raise InvalidInput("no sound may be used", where="sounds", cure="name a folder of sounds, or allow any licence")
    out.mkdir(parents=True, exist_ok=True)
    told("heads", 0, 1)
    pack_heads(out / _HEADS, all_heads)
    pack_sounds(out / _SOUNDS, [*kept, *spoken])
    known = [head.measured for head in all_heads if not head.held_out]
    model = shipped_model()
    if len(known) > N_CODE:  # fewer span no space of their own
        model = learn_listeners(known, on_progress=lambda done, total: told("listeners", done, total))
    model.save(out / _LISTENERS)
    # from what was packed, so that whoever has the folder can learn the same again
    packed_heads = [head.measured for head in unpack_heads(out / _HEADS) if not head.held_out]
    ears = shipped_ears() if len(known) < 2 else learn_ears([ears_on_grid(measured) for measured in packed_heads])
    ears.save(out / _EARS)
    packed = (_HEADS, _SOUNDS, _LISTENERS, _EARS)
    manifest: dict[str, object] = {
        "heads": [head.name for head in all_heads if not head.held_out],
        "heads_held_out": [head.name for head in all_heads if head.held_out],
        "sounds": {"recorded": len(kept), "spoken": len(spoken), "passed_over_for_their_licence": passed_over},
        "sounds_held_out": [sound.name for sound in [*kept, *spoken] if sound.held_out],
        "duration_s": round(sum(len(sound.samples) for sound in [*kept, *spoken]) / 48_000.0, 1),
        "sha256": {name: _checksum(out / name) for name in packed},
        "bytes": sum((out / name).stat().st_size for name in packed),
    }
    (out / _MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return manifest


def load(
    folder: Path,
    preset: Preset,
    device: torch.device | str = "cpu",
    *,
    heads: Sequence[str] | None = None,
    workers: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Data:
    """Unpack a folder onto the training device; preparing a set takes a second.

    Parameters
    ----------
    folder : Path
        As `prepare` wrote it.
    preset : Preset
        How many measurements sparse sets keep.
    device : torch.device or str
        Where to.
    heads : sequence of str, optional
        Names of the heads to load; all if not given.
    workers : int
        Processes that prepare the sets; this one alone if 0.
    on_progress : callable, optional
        Called as on_progress(done_heads, n_heads).

    Returns
    -------
    Data

    Raises
    ------
    InvalidInput
        If the folder holds something else.
    """
    listeners = ListenerModel.load(folder / _LISTENERS)
    found = unpack_heads(folder / _HEADS)
    chosen: list[Head] = [head for head in found if heads is None or head.name in heads]
    if not chosen:
        raise InvalidInput(f"none of {list(heads or ())} is there", where=str(folder))
    sparse = preset.tasks.keys() & {Task.SPARSE, Task.SPARSE_ROOM}
    bank = ListenerBank(
        chosen,
        n_sparse=_N_SPARSE if sparse else 0,
        sparse_directions=preset.sparse_directions,
        code=listeners.fit,
        device=device,
        workers=workers,
        on_progress=on_progress,
    )
    every = [*unpack_sounds(folder / _SOUNDS), *generated_sounds()]
    seen, unseen = ([sound for sound in every if sound.held_out == held_out] for held_out in (False, True))
    return Data(bank, SoundBank(seen, _SHARES, device), SoundBank(unseen, _SHARES, device), listeners)


def _kemar() -> Head:
    return Head("KEMAR", read_sofa(Path(_hrtf_module).parent / "assets" / DEFAULT_SOFA))


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
