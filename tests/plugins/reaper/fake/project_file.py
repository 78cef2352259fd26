"""Project files (.RPP) read into the model: what tests of real projects need, no more."""

from __future__ import annotations

import os
from pathlib import Path

from .model import Envelope, Fx, FxParameter, Item, Marker, Point, Project, Send, Source, Take, Track
from .rpp import Node, parse


def load_project(path: Path, project: Project) -> Project:
    """Fill an empty project from a file; relative media paths are taken from the file's folder."""
    root = parse(path.read_text(encoding="utf-8", errors="surrogateescape"))
    project.path = path
    project.values["PROJECT_SRATE"] = root.number("SAMPLERATE", 0, 48000.0)
    project.values["PROJECT_SRATE_USE"] = root.number("SAMPLERATE", 1)
    project.strings["RECORD_PATH"] = root.text("RECORD_PATH")
    project.tempo = root.number("TEMPO", 0, 120.0)
    project.time_selection = (root.number("SELECTION"), root.number("SELECTION", 1))
    pan_mode = root.number("PANMODE", 0, 3.0)
    tracks = [child for child in root.children if child.name == "TRACK"]
    for node in tracks:
        project.tracks.append(_track(node, project, path.parent, pan_mode))
    for number, node in enumerate(tracks):
        for line in node.lines:
            if line[0] == "AUXRECV" and int(line[1]) < len(project.tracks):
                project.tracks[int(line[1])].sends.append(
                    Send(project.tracks[number].guid, float(line[3]), line[5] == "1")
                )
    _markers(root, project)
    for states in (child for child in root.children if child.name == "EXTSTATE"):
        for section in states.children:
            for line in section.lines:
                project.ext_state[section.name, line[0]] = " ".join(line[1:])
    return project


def _markers(root: Node, project: Project) -> None:
    open_regions: dict[int, Marker] = {}
    for line in root.lines:
        if line[0] != "MARKER":
            continue
        index, start_s, name = int(line[1]), float(line[2]), line[3] if len(line) > 3 else ""
        is_region = len(line) > 4 and int(float(line[4])) & 1
        if is_region and index in open_regions:
            open_regions.pop(index).end_s = start_s
            continue
        marker = Marker(index, start_s, start_s if is_region else None, name)
        project.content.markers.append(marker)
        if is_region:
            open_regions[index] = marker


def _track(node: Node, project: Project, folder: Path, pan_mode: float) -> Track:
    track = Track(project, node.text("NAME"))
    if len(node.words) > 1:
        track.guid = node.words[1]
    track.values.update(
        {
            "I_CUSTOMCOLOR": _color(node.number("PEAKCOL")),
            "D_VOL": node.number("VOLPAN", 0, 1.0),
            "D_PAN": node.number("VOLPAN", 1),
            "D_WIDTH": node.number("VOLPAN", 4, 1.0),
            "I_PANMODE": node.number("PANMODE", 0, pan_mode),
            "B_MUTE": node.number("MUTESOLO", 0),
            "I_SOLO": node.number("MUTESOLO", 1),
            "B_PHASE": node.number("IPHASE"),
            "I_FOLDERDEPTH": node.number("ISBUS", 1),
            "I_SELECTED": node.number("SEL"),
            "I_NCHAN": node.number("NCHAN", 0, 2.0),
            "B_MAINSEND": node.number("MAINSEND", 0, 1.0),
        }
    )
    names = {
        "VOLENV2": "Volume",
        "PANENV2": "Pan",
        "VOLENV": "Volume (Pre-FX)",
        "MUTEENV": "Mute",
        "WIDTHENV2": "Width",
    }
    for child in node.children:
        if child.name in names:
            track.envelopes.append(_envelope(child, names[child.name], track))
        elif child.name == "FXCHAIN":
            track.fx = _effects(child, track)
        elif child.name == "ITEM":
            track.items.append(_item(child, track, folder))
    return track


def _color(value: float) -> float:
    # 16576 is "no colour of its own"; a set one carries the flag
    return value if int(value) & 0x1000000 else 0.0


def _envelope(node: Node, name: str, owner: Track | Take) -> Envelope:
    ranges = {
        "Volume": (0.0, 2.0, 1.0),
        "Volume (Pre-FX)": (0.0, 2.0, 1.0),
        "Pan": (-1.0, 1.0, 0.0),
        "Width": (-1.0, 1.0, 1.0),
    }
    low, high, centre = ranges.get(name, (0.0, 1.0, 1.0))
    if node.name == "PARMENV":
        low, high, centre = (float(word) for word in node.words[2:5])
    envelope = Envelope(name, owner, low, high, centre, active=bool(node.number("ACT", 0, 1.0)))
    envelope.fader_scaling = bool(node.number("VOLTYPE"))
    for line in node.lines:
        if line[0] == "PT":
            shape = int(line[3]) if len(line) > 3 else 0
            tension = float(line[7]) if len(line) > 7 else 0.0
            envelope.points.append(Point(float(line[1]), float(line[2]), shape, tension))
    return envelope


def _effects(chain: Node, owner: Track | Take) -> list[Fx]:
    """Read the effects of a chain with the parameters that have envelopes; others stand only in the plug-in's state."""
    effects: list[Fx] = []
    for child in chain.children:
        if child.name in ("VST", "AU", "JS", "LV2", "CLAP", "DX"):
            name = f"JS: {child.words[2] or child.words[1]}" if child.name == "JS" else child.words[1]
            effects.append(Fx(name, child.words[1], [], []))
        elif child.name == "PARMENV" and effects:
            number, _, slug = child.words[1].partition(":")
            effect = effects[-1]
            while len(effect.parameters) <= int(number):
                effect.parameters.append(FxParameter(f"Parameter {len(effect.parameters)}", 0.0, 0.0, 1.0))
                effect.values.append(0.0)
            envelope = _envelope(child, f"{slug or 'Parameter ' + number} / {effect.name}", owner)
            effect.parameters[int(number)] = FxParameter(
                slug or f"Parameter {number}", envelope.centre, envelope.minimum, envelope.maximum
            )
            effect.envelopes[int(number)] = envelope
    return effects


def _item(node: Node, track: Track, folder: Path) -> Item:
    item = Item(track)
    item.guid = node.text("IGUID", item.guid)
    values = item.values
    values.update(
        {
            "D_POSITION": node.number("POSITION"),
            "D_LENGTH": node.number("LENGTH"),
            "D_SNAPOFFSET": node.number("SNAPOFFS"),
            "B_LOOPSRC": node.number("LOOP"),
            "B_ALLTAKESPLAY": node.number("ALLTAKES"),
            "B_MUTE": node.number("MUTE"),
            "B_UISEL": node.number("SEL"),
            "D_VOL": node.number("VOLPAN", 0, 1.0),
            "D_FADEINLEN": node.number("FADEIN", 1),
            "D_FADEOUTLEN": node.number("FADEOUT", 1),
            "C_FADEINSHAPE": node.number("FADEIN"),
            "C_FADEOUTSHAPE": node.number("FADEOUT"),
            "D_FADEINDIR": node.number("FADEIN", 5),
            "D_FADEOUTDIR": node.number("FADEOUT", 5),
            "D_FADEINLEN_AUTO": node.number("FADEIN", 2) or -1.0,
            "D_FADEOUTLEN_AUTO": node.number("FADEOUT", 2) or -1.0,
            "I_GROUPID": node.number("GROUP"),
            "I_CUSTOMCOLOR": _color(node.number("COLOR")),
        }
    )
    for index, part in enumerate(_takes(node)):
        item.takes.append(_take(part, item, folder))
        if part.words[0] == "SELECTED":
            item.active = index
    return item


def _takes(node: Node) -> list[Node]:
    """Part an item into its takes: the first is in the item itself, each further one begins at a TAKE line."""
    order = [Node(["FIRST"])]
    lines = iter(node.lines)
    for line in lines:
        if line[0] == "TAKE":
            order.append(Node(["SELECTED" if "SEL" in line else "TAKE"]))
        else:
            order[-1].lines.append(line)
    sources = [child for child in node.children if child.name == "SOURCE"]
    for part, source in zip(order, sources, strict=False):
        part.children.append(source)
    if len(order) == 1:
        order[0].children = list(node.children)
    return order


def _take(part: Node, item: Item, folder: Path) -> Take:
    first = part.words[0] == "FIRST"
    take = Take(item, name=part.text("NAME"))
    take.guid = part.text("GUID", take.guid)
    source = next((child for child in part.children if child.name == "SOURCE"), None)
    take.source = None if source is None else _source(source, folder)
    # the first take's pan and volume stand in the item's VOLPAN, those of a further one in its TAKEVOLPAN
    take.values["D_PAN"] = part.number("VOLPAN" if first else "TAKEVOLPAN", 1 if first else 0)
    take.values["D_VOL"] = part.number("VOLPAN", 2, 1.0) if first else part.number("TAKEVOLPAN", 1, 1.0)
    take.values.update(
        {
            "D_STARTOFFS": part.number("SOFFS"),
            "D_PLAYRATE": part.number("PLAYRATE", 0, 1.0),
            "B_PPITCH": part.number("PLAYRATE", 1, 1.0),
            "D_PITCH": part.number("PLAYRATE", 2),
            "I_CHANMODE": part.number("CHANMODE"),
        }
    )
    numbers = [word for line in part.lines if line[0] == "SM" for word in line[1:]]
    pairs = " ".join(numbers).replace("+", "|").split("|")
    take.stretch_markers = [(float(pair.split()[0]), float(pair.split()[1])) for pair in pairs if pair.split()]
    names = {"VOLENV": "Volume", "PANENV": "Pan", "MUTEENV": "Mute", "PITCHENV": "Pitch"}
    for child in part.children:
        if child.name in names:
            take.envelopes.append(_envelope(child, names[child.name], take))
        elif child.name == "TAKEFX":
            take.fx = _effects(child, take)
    return take


def _source(node: Node, folder: Path) -> Source:
    kind = node.words[1]
    if kind == "SECTION":
        parent = _source(next(child for child in node.children if child.name == "SOURCE"), folder)
        # MODE 0: section, 2: section and reversed, 3: reversed only
        mode = int(node.number("MODE"))
        whole = mode == 3
        return Source(
            "SECTION",
            "",
            parent,
            0.0 if whole else node.number("STARTPOS"),
            0.0 if whole else node.number("LENGTH"),
            mode in (2, 3),
        )
    file = node.text("FILE")
    # projects from Windows part folders with backslashes
    source = Source(kind, os.path.normpath(folder / file.replace("\\", "/")) if file else "")
    if kind == "MIDI":
        source.length_quarter_notes = 4.0
    return source
