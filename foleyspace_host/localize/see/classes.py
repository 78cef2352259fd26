"""The 80 COCO classes: how tall each usually is, and how likely it is to be what is heard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["CLASSES", "DEFAULT_CLASS", "ObjectClass", "class_meant", "class_named", "is_class_name", "matching_names"]


class ObjectClass(NamedTuple):
    """What is known about a class of objects.

    Parameters
    ----------
    name : str
        COCO's name.
    height_m : float
        Typical height of the box around a whole object in its usual pose [m].
    sounding : float
        How readily it is the source of a clip's sound, 0 to 1: what moves and lives is 1, what only stands
        there is 0.1. A judgement, not a measurement.
    basis : str
        Where the height comes from.
    """

    name: str
    height_m: float
    sounding: float
    basis: str


# In COCO's order, so that an index is the detector's class. Where an object has no usual pose (a bat, a fork)
# the height is that of its length held at 45 degrees; where it lies flat, of its box as usually seen.
CLASSES: tuple[ObjectClass, ...] = (
    ObjectClass("person", 1.65, 1.0, "mean adult stature, men 1.71 m, women 1.59 m (NCD-RisC 2016)"),
    ObjectClass("bicycle", 1.05, 0.6, "700C city bicycle, ground to handlebar 1.0-1.1 m"),
    ObjectClass("car", 1.50, 1.0, "makers' data: saloon 1.45 m, hatchback 1.47 m, SUV 1.65 m"),
    ObjectClass("motorcycle", 1.15, 1.0, "makers' data: 1.05-1.25 m to the mirrors, without rider"),
    ObjectClass("airplane", 11.8, 1.0, "Airbus A320 11.76 m, Boeing 737-800 12.5 m; light aircraft 2.7 m"),
    ObjectClass("bus", 3.1, 1.0, "city bus 3.0-3.2 m (Mercedes Citaro 3.12 m); double-decker 4.4 m"),
    ObjectClass("train", 3.9, 1.0, "rail vehicles 3.8-4.3 m above rail (UIC 505 gauge 4.28 m)"),
    ObjectClass("truck", 2.8, 1.0, "mean of pick-up 1.9 m and lorry 3.7 m (EU limit 4.0 m)"),
    ObjectClass("boat", 2.5, 0.8, "small motor and rowing craft with crew, above the water line"),
    ObjectClass("traffic light", 1.0, 0.1, "three 300 mm lamps in a housing, 1.0-1.1 m (EN 12368)"),
    ObjectClass("fire hydrant", 0.75, 0.1, "pillar hydrants, 0.7-0.9 m above ground"),
    ObjectClass("stop sign", 0.75, 0.05, "30 in octagon (MUTCD R1-1)"),
    ObjectClass("parking meter", 1.40, 0.1, "head of the meter 1.2-1.5 m above ground"),
    ObjectClass("bench", 0.85, 0.05, "park bench with back, 0.8-0.9 m"),
    ObjectClass("bird", 0.25, 1.0, "standing pigeon or crow; songbirds 0.12 m, gulls 0.4 m"),
    ObjectClass("cat", 0.28, 1.0, "shoulder height 0.23-0.28 m, head a little above"),
    ObjectClass("dog", 0.55, 1.0, "medium breeds: shoulder 0.45-0.55 m (FCI standards), head above"),
    ObjectClass("horse", 1.9, 1.0, "withers 1.5-1.7 m, head carried 0.3 m above"),
    ObjectClass("sheep", 0.85, 1.0, "withers 0.65-0.8 m, head above"),
    ObjectClass("cow", 1.45, 1.0, "Holstein cow, withers 1.45 m (breed standard)"),
    ObjectClass("elephant", 2.8, 1.0, "shoulder: Asian 2.2-3.0 m, African 2.5-3.3 m"),
    ObjectClass("bear", 1.1, 1.0, "brown bear on four legs, shoulder 0.9-1.2 m"),
    ObjectClass("zebra", 1.5, 1.0, "plains zebra, withers 1.25-1.35 m, head above"),
    ObjectClass("giraffe", 4.7, 0.6, "adult females 4.3-4.6 m, males 5-5.5 m, young lower"),
    ObjectClass("backpack", 0.50, 0.1, "day pack 0.45-0.55 m"),
    ObjectClass("umbrella", 0.75, 0.2, "open stick umbrella, canopy and visible shaft"),
    ObjectClass("handbag", 0.32, 0.05, "bag with handles 0.25-0.4 m"),
    ObjectClass("tie", 0.50, 0.02, "visible part; whole tie 1.45 m, worn folded at 0.5 m"),
    ObjectClass("suitcase", 0.65, 0.3, "cabin 0.55 m, check-in 0.68-0.78 m"),
    ObjectClass("frisbee", 0.15, 0.3, "disc of 0.27 m seen tilted"),
    ObjectClass("skis", 1.20, 0.4, "1.7 m skis at 45 degrees"),
    ObjectClass("snowboard", 1.05, 0.4, "1.5 m board at 45 degrees"),
    ObjectClass("sports ball", 0.22, 0.7, "football 0.22 m (IFAB law 2), basketball 0.24 m, tennis 0.067 m"),
    ObjectClass("kite", 0.9, 0.2, "single-line kites 0.7-1.2 m"),
    ObjectClass("baseball bat", 0.60, 0.4, "0.84 m bat at 45 degrees"),
    ObjectClass("baseball glove", 0.28, 0.3, "11-12 in glove"),
    ObjectClass("skateboard", 0.15, 0.8, "deck on wheels seen from the side"),
    ObjectClass("surfboard", 1.2, 0.4, "1.8 m board at 45 degrees"),
    ObjectClass("tennis racket", 0.50, 0.5, "0.685 m racket at 45 degrees (ITF limit 0.737 m)"),
    ObjectClass("bottle", 0.27, 0.3, "0.5 l bottle 0.22 m, wine bottle 0.30 m"),
    ObjectClass("wine glass", 0.21, 0.3, "stemmed glass 0.20-0.23 m"),
    ObjectClass("cup", 0.10, 0.3, "mug 0.095 m, paper cup 0.11 m"),
    ObjectClass("fork", 0.14, 0.2, "0.19 m fork at 45 degrees"),
    ObjectClass("knife", 0.16, 0.3, "0.22 m knife at 45 degrees"),
    ObjectClass("spoon", 0.14, 0.2, "0.19 m spoon at 45 degrees"),
    ObjectClass("bowl", 0.09, 0.2, "cereal bowl 0.07 m, mixing bowl 0.12 m"),
    ObjectClass("banana", 0.12, 0.05, "0.19 m fruit, curved"),
    ObjectClass("apple", 0.08, 0.05, "0.07-0.085 m fruit"),
    ObjectClass("sandwich", 0.08, 0.05, "0.06-0.1 m stacked"),
    ObjectClass("orange", 0.08, 0.05, "0.07-0.085 m fruit"),
    ObjectClass("broccoli", 0.15, 0.05, "head with stem"),
    ObjectClass("carrot", 0.12, 0.05, "0.17 m root at 45 degrees"),
    ObjectClass("hot dog", 0.08, 0.05, "roll seen from above and in front"),
    ObjectClass("pizza", 0.20, 0.05, "0.30 m disc seen at a slant"),
    ObjectClass("donut", 0.07, 0.05, "0.09 m ring seen at a slant"),
    ObjectClass("cake", 0.12, 0.05, "layer cake 0.1-0.15 m"),
    ObjectClass("chair", 0.90, 0.1, "chairs with back 0.8-1.0 m (seat 0.45 m, EN 1729)"),
    ObjectClass("couch", 0.85, 0.05, "sofa with back 0.8-0.9 m"),
    ObjectClass("potted plant", 0.60, 0.05, "house plants with pot 0.3-1.0 m"),
    ObjectClass("bed", 0.80, 0.05, "mattress 0.55 m, head board 1.0 m"),
    ObjectClass("dining table", 0.75, 0.05, "table height 0.72-0.76 m (EN 527)"),
    ObjectClass("toilet", 0.78, 0.5, "bowl with cistern 0.75-0.8 m"),
    ObjectClass("tv", 0.60, 0.7, "42-50 in 16:9 screens 0.52-0.62 m"),
    ObjectClass("laptop", 0.23, 0.4, "14 in lid opened"),
    ObjectClass("mouse", 0.04, 0.2, "computer mouse seen from the front"),
    ObjectClass("remote", 0.13, 0.1, "0.18 m remote at 45 degrees"),
    ObjectClass("keyboard", 0.14, 0.5, "keyboard of 0.15 m depth seen from above"),
    ObjectClass("cell phone", 0.15, 0.7, "6.1 in phones 0.147 m upright"),
    ObjectClass("microwave", 0.29, 0.6, "table-top ovens 0.26-0.31 m"),
    ObjectClass("oven", 0.60, 0.4, "built-in oven 0.595 m (EN 1116)"),
    ObjectClass("toaster", 0.19, 0.5, "two-slot toasters 0.18-0.2 m"),
    ObjectClass("sink", 0.20, 0.4, "basin 0.15-0.2 m deep, with tap above"),
    ObjectClass("refrigerator", 1.75, 0.4, "upright 1.7-1.85 m"),
    ObjectClass("book", 0.23, 0.1, "octavo to A4, 0.2-0.3 m"),
    ObjectClass("clock", 0.30, 0.4, "wall clocks 0.25-0.35 m"),
    ObjectClass("vase", 0.28, 0.05, "table vases 0.2-0.35 m"),
    ObjectClass("scissors", 0.14, 0.4, "0.2 m scissors at 45 degrees"),
    ObjectClass("teddy bear", 0.35, 0.1, "sitting toys 0.3-0.4 m"),
    ObjectClass("hair drier", 0.22, 0.9, "hand-held drier with handle"),
    ObjectClass("toothbrush", 0.14, 0.5, "0.19 m brush at 45 degrees"),
)

DEFAULT_CLASS = ObjectClass("object", 1.0, 0.3, "no class known; a metre keeps the range plausible")

_BY_NAME = {entry.name: entry for entry in CLASSES}

# COCO's name and other words that people type for it; only what is plainly the same thing or a kind of it
_OTHER_WORDS = {
    "person": "people human man woman men women boy girl child children kid baby pedestrian rider runner "
    "jogger walker dancer singer speaker player musician drummer actor crowd",
    "bicycle": "bike cycle cyclist",
    "car": "automobile taxi cab suv van jeep sedan",
    "motorcycle": "motorbike scooter moped",
    "airplane": "aeroplane plane aircraft jet airliner",
    "bus": "coach minibus",
    "train": "locomotive tram railway metro subway",
    "truck": "lorry pickup",
    "boat": "ship yacht ferry sailboat canoe kayak vessel",
    "bird": "pigeon crow gull seagull duck goose rooster hen chicken parrot sparrow",
    "cat": "kitten kitty",
    "dog": "puppy hound",
    "horse": "pony stallion mare",
    "sheep": "lamb ram goat",
    "cow": "bull calf cattle ox",
    "sports ball": "football soccer basketball",
    "tv": "television monitor screen",
    "cell phone": "smartphone mobile telephone",
    "hair drier": "hairdryer hairdrier",
    "refrigerator": "fridge freezer",
    "couch": "sofa settee",
    "sink": "tap faucet basin",
}
_SYNONYMS = {word: name for name, words in _OTHER_WORDS.items() for word in words.split()}


def class_named(name: str) -> ObjectClass:
    """Return what is known about a class; `DEFAULT_CLASS` for names that are not COCO's.

    Parameters
    ----------
    name : str
        A class name as a detector gives it.

    Returns
    -------
    ObjectClass
    """
    return _BY_NAME.get(name, DEFAULT_CLASS)


def class_meant(label: str) -> ObjectClass:
    """Return the class of which a thing most likely is, whatever it is called; `DEFAULT_CLASS` if that is open.

    Parameters
    ----------
    label : str
        A class name, or words that name a kind of it ("steam train").

    Returns
    -------
    ObjectClass
    """
    if label in _BY_NAME:
        return _BY_NAME[label]
    meant = matching_names(label, _BY_NAME)
    return _BY_NAME[next(iter(meant))] if len(meant) == 1 else DEFAULT_CLASS


def is_class_name(label: str) -> bool:
    """Say whether a typed label is no more than a COCO class: its name, one in the plural, or one common word.

    Parameters
    ----------
    label : str
        What the user typed.

    Returns
    -------
    bool
        False for a special kind ("steam train") and for what COCO lacks ("kettle").
    """
    text = " ".join(label.lower().replace("-", " ").replace("_", " ").split())
    singular = text[:-1] if text.endswith("s") and len(text) > 3 else text
    return any(word in _BY_NAME or word in _SYNONYMS for word in (text, singular))


def matching_names(label: str, names: Iterable[str]) -> frozenset[str]:
    """Return the class names that a typed label means.

    Parameters
    ----------
    label : str
        What the user typed: a class name, part of one ("phone"), a phrase that holds one ("sports car"), or a
        common other word for one ("rider").
    names : iterable of str
        The class names to choose from.

    Returns
    -------
    frozenset of str
        The best kind of match only: the same name, else names and synonyms among the words (a plural s is
        forgiven), else names of which the label is a word or a part. Empty if nothing fits.
    """
    known = set(names)
    text = " ".join(label.lower().replace("-", " ").replace("_", " ").split())
    if not text:
        return frozenset()
    if text in known:
        return frozenset({text})
    singular = " ".join(word[:-1] if word.endswith("s") and len(word) > 3 else word for word in text.split())
    phrases = (f" {text} ", f" {singular} ")
    named = {name for name in known for phrase in phrases if f" {name} " in phrase}
    # a "hot dog" is no dog: of names within each other the longer one is meant
    named = {name for name in named if not any(name != other and name in other for other in named)}
    named |= {_SYNONYMS[word] for phrase in phrases for word in phrase.split() if _SYNONYMS.get(word) in known}
    if named:
        return frozenset(named)
    parts = frozenset(name for name in known if text in name.split() or singular in name.split())
    return parts or frozenset(name for name in known if len(text) > 2 and text in name)
