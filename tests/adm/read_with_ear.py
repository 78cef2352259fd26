"""Run by an interpreter that has the EBU ADM Renderer: what that reads in a file, and how it renders it.

Arguments: the ADM file, and a JSON file with a list of [sample, azimuth, elevation, distance, gain]: where the first
object truly is at some samples. Prints JSON.
"""

from __future__ import annotations

import json
import sys
import warnings

import numpy as np
from ear.core import bs2051
from ear.core.metadata_input import ObjectTypeMetadata
from ear.core.objectbased.gain_calc import GainCalc
from ear.core.renderer import Renderer
from ear.core.select_items import select_rendering_items
from ear.fileio import openBw64Adm
from ear.fileio.adm.elements import AudioBlockFormatObjects, ObjectPolarPosition

LAYOUT = bs2051.get_layout("4+5+0")


def block(one: AudioBlockFormatObjects) -> list:
    jump = one.jumpPosition.interpolationLength if one.jumpPosition.flag else None
    times = [float(one.rtime), float(one.duration)]
    there = [one.position.azimuth, one.position.elevation, one.position.distance]
    return [*times, *there, one.gain, None if jump is None else float(jump), one.width]


def rendered(reader: object, items: list) -> np.ndarray:
    renderer = Renderer(LAYOUT)
    renderer.set_rendering_items(items)
    blocks = [renderer.render(reader.sampleRate, samples) for samples in reader.iter_sample_blocks(4096)]
    return np.concatenate([*blocks, renderer.get_tail(reader.sampleRate, reader.channels)])


def main() -> None:
    with openBw64Adm(sys.argv[1]) as reader:
        adm = reader.adm
        adm.validate()
        objects = [
            {
                "name": one.audioObjectName,
                "start": float(one.start),
                "duration": float(one.duration),
                "track": one.audioTrackUIDs[0].trackIndex,
                "absolute": one.audioPackFormats[0].absoluteDistance,
                "blocks": [block(b) for b in one.audioPackFormats[0].audioChannelFormats[0].audioBlockFormats],
            }
            for one in adm.audioObjects
        ]
        items = select_rendering_items(adm)
        out = rendered(reader, items)
        told = {"rate": reader.sampleRate, "channels": reader.channels, "bits": reader.bitdepth, "objects": objects}
    calc = GainCalc(LAYOUT.without_lfe)
    off = []
    with open(sys.argv[2], encoding="utf-8") as file:
        truth = json.load(file)
    full = np.array([not one.is_lfe for one in LAYOUT.channels])
    for sample, azimuth, elevation, distance, gain in truth:
        position = ObjectPolarPosition(azimuth=azimuth, elevation=elevation, distance=distance)
        wanted = calc.render(ObjectTypeMetadata(AudioBlockFormatObjects(position=position, gain=gain))).direct
        off.append(float(np.abs(out[sample, full] - wanted).max()))
    print(json.dumps({**told, "n_samples": len(out), "items": len(items), "off": off}))


warnings.simplefilter("ignore")
main()
