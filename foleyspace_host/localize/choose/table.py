"""Which things make which sounds: AudioSet's classes against COCO's, judged one by one.

Each row says: these sounds come from these things, this likely. 1 is what the sound is named for, 0.5 what may
well be meant or what stands beside the true source and is often taken for it (a kettle looks like a bottle to a
detector that knows none), 0.2 what can make it at a stretch. A judgement, not a measurement. Sounds that are in
no row tell nothing about COCO's things: most of them (wind, thunder, a power saw) are made by none of them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.hear.tag import class_names
from foleyspace_host.localize.see.classes import CLASSES

__all__ = ["HELD", "OF_SEVERAL", "TELLS_NOTHING", "makes", "thing_names"]

_BIG_CATS = "Roar|Roaring cats (lions, tigers)|Growling"
_INSTRUMENTS = (
    "Musical instrument|Plucked string instrument|Guitar|Electric guitar|Bass guitar|Acoustic guitar|"
    "Steel guitar, slide guitar|Tapping (guitar technique)|Strum|Banjo|Sitar|Mandolin|Zither|Ukulele|"
    "Tambourine|Rattle (instrument)|Maraca|Brass instrument|French horn|Trumpet|Trombone|"
    "Bowed string instrument|Violin, fiddle|Pizzicato|Cello|Double bass|Wind instrument, woodwind instrument|"
    "Flute|Saxophone|Clarinet|Harmonica|Accordion|Bagpipes|Didgeridoo|Shofar|Harp"
)
_STANDING_INSTRUMENTS = (
    "Keyboard (musical)|Piano|Electric piano|Organ|Electronic organ|Hammond organ|Synthesizer|Harpsichord|"
    "Percussion|Drum kit|Drum|Snare drum|Rimshot|Drum roll|Bass drum|Timpani|Tabla|Cymbal|Hi-hat|Wood block|Gong|"
    "Tubular bells|Mallet percussion|Marimba, xylophone|Glockenspiel|Vibraphone|Steelpan|Singing bowl"
)
_TOOLS = (
    "Tools|Hammer|Jackhammer|Sawing|Filing (rasp)|Sanding|Power tool|Drill|Chainsaw|Lawn mower|Chopping (food)|"
    "Scissors|Typewriter|Writing|Electric shaver, electric razor|Vacuum cleaner|Chop|Whip|Zipper (clothing)|"
    "Shuffling cards|Camera|Single-lens reflex camera|Sewing machine|Ratchet, pawl|Keys jangling|Coin (dropping)"
)

# sounds, then the things that make them with how likely each is
_ROWS: tuple[tuple[str, str], ...] = (
    # people
    (
        "Speech|Child speech, kid speaking|Conversation|Narration, monologue|Babbling|Shout|Bellow|Whoop|Yell|"
        "Children shouting|Screaming|Whispering|Laughter|Baby laughter|Giggle|Snicker|Belly laugh|"
        "Chuckle, chortle|Crying, sobbing|Baby cry, infant cry|Wail, moan|Sigh|Singing|Yodeling|Chant|"
        "Child singing|Rapping|Humming|Groan|Grunt|Breathing|Wheeze|Snoring|Gasp|Cough|Throat clearing|Sneeze|"
        "Sniff|Chewing, mastication|Biting|Gargling|Burping, eructation|Hiccup|Hands|Finger snapping|Clapping|"
        "Beatboxing|Choir|Mantra|A capella|Vocal music|Opera",
        "person 1",
    ),
    ("Cheering|Applause|Chatter|Crowd|Hubbub, speech noise, speech babble|Children playing", "person 1"),
    ("Run|Shuffle|Walk, footsteps|Patter", "person 1, dog 0.4, horse 0.4"),
    ("Crunch|Thump, thud|Thunk|Tap", "person 0.4, sports ball 0.3, dog 0.2"),
    ("Slap, smack|Whack, thwack|Bang", "person 0.5, sports ball 0.4, tennis racket 0.4, baseball bat 0.4"),
    (_INSTRUMENTS, "person 0.7"),
    (_STANDING_INSTRUMENTS, "person 0.6"),
    (
        "Song|Orchestra|String section|Jazz|Classical music|Folk music|Traditional music|Rock music",
        "person 0.3, tv 0.2",
    ),
    (_TOOLS, "person 0.5"),
    ("Whistle|Whistling", "person 0.6, train 0.3, bird 0.3, bottle 0.4, cup 0.3, vase 0.3"),
    ("Writing|Scratch|Rub|Rustle|Crumpling, crinkling|Tearing", "person 0.3, book 0.4"),
    ("Gunshot, gunfire|Machine gun|Fusillade|Cap gun|Arrow", "person 0.5"),
    # animals
    ("Animal", "dog 0.8, cat 0.8, horse 0.8, sheep 0.8, cow 0.8, bird 0.7, elephant 0.8, bear 0.8, zebra 0.6"),
    ("Domestic animals, pets", "dog 0.9, cat 0.9, bird 0.3"),
    ("Dog|Bark|Yip|Howl|Bow-wow|Whimper (dog)|Canidae, dogs, wolves|Whimper|Pant", "dog 1"),
    ("Growling", "dog 0.8, bear 0.7, cat 0.3"),
    ("Cat|Purr|Meow|Caterwaul", "cat 1"),
    ("Hiss", "cat 0.4, train 0.3, bottle 0.2, oven 0.2"),
    ("Livestock, farm animals, working animals", "horse 0.9, cow 0.9, sheep 0.9"),
    ("Horse|Neigh, whinny|Clip-clop|Snort", "horse 1, zebra 0.5"),
    ("Cattle, bovinae|Moo|Cowbell", "cow 1"),
    ("Pig|Oink", "cow 0.2, sheep 0.2"),
    ("Goat|Bleat|Sheep", "sheep 1"),
    (
        "Fowl|Chicken, rooster|Cluck|Crowing, cock-a-doodle-doo|Turkey|Gobble|Duck|Quack|Goose|Honk|Bird|"
        "Bird vocalization, bird call, bird song|Chirp, tweet|Squawk|Pigeon, dove|Coo|Crow|Caw|Owl|Hoot|"
        "Bird flight, flapping wings|Flap",
        "bird 1",
    ),
    ("Wild animals", "elephant 0.8, bear 0.8, zebra 0.8, giraffe 0.8, bird 0.4"),
    (_BIG_CATS, "cat 0.6, dog 0.3, bear 0.6, elephant 0.4"),
    # vehicles
    ("Vehicle", "car 0.9, truck 0.9, bus 0.9, motorcycle 0.9, train 0.8, boat 0.7, airplane 0.7, bicycle 0.3"),
    ("Motor vehicle (road)|Traffic noise, roadway noise", "car 1, truck 1, bus 1, motorcycle 1"),
    (
        "Car|Car passing by|Race car, auto racing|Car alarm|Skidding|Tire squeal|Power windows, electric windows",
        "car 1, truck 0.6, bus 0.3, motorcycle 0.3",
    ),
    ("Vehicle horn, car horn, honking|Toot|Air horn, truck horn", "car 0.9, truck 0.9, bus 0.8, train 0.3"),
    ("Reversing beeps|Air brake|Truck|Ice cream truck, ice cream van", "truck 1, bus 0.8, car 0.4"),
    ("Bus", "bus 1, truck 0.4"),
    (
        "Emergency vehicle|Police car (siren)|Ambulance (siren)|Fire engine, fire truck (siren)|Siren",
        "car 0.8, truck 0.9, bus 0.4, motorcycle 0.4",
    ),
    ("Motorcycle", "motorcycle 1"),
    (
        "Rail transport|Train|Train whistle|Train horn|Railroad car, train wagon|Train wheels squealing|"
        "Subway, metro, underground|Clickety-clack|Steam whistle",
        "train 1, bus 0.2",
    ),
    ("Steam", "train 0.8, oven 0.2, bottle 0.3, cup 0.3, bowl 0.3, vase 0.2"),
    (
        "Aircraft|Aircraft engine|Jet engine|Propeller, airscrew|Helicopter|Fixed-wing aircraft, airplane",
        "airplane 1, bird 0.3, kite 0.3",  # detectors take a far or strange aircraft for a bird or a kite
    ),
    (
        "Engine|Medium engine (mid frequency)|Heavy engine (low frequency)|Engine knocking|Engine starting|Idling|"
        "Accelerating, revving, vroom",
        "car 0.9, truck 0.9, bus 0.9, motorcycle 0.9, train 0.7, boat 0.7, airplane 0.6",
    ),
    ("Light engine (high frequency)|Whir|Hum|Throbbing", "motorcycle 0.6, airplane 0.4, boat 0.4, car 0.4"),
    (
        "Boat, Water vehicle|Sailboat, sailing ship|Motorboat, speedboat|Ship|Foghorn",
        "boat 1, surfboard 0.3",
    ),
    ("Rowboat, canoe, kayak", "boat 1, person 0.7, surfboard 0.6"),
    ("Bicycle|Bicycle bell", "bicycle 1, person 0.4"),
    ("Skateboard|Roll", "skateboard 1, person 0.5"),
    # water and things to drink from
    ("Splash, splatter|Slosh", "person 0.5, boat 0.6, surfboard 0.6, dog 0.3, bird 0.3, sink 0.3"),
    ("Waves, surf|Ocean", "surfboard 0.4, boat 0.3"),
    ("Water|Stream|Gurgling|Trickle, dribble|Gush|Drip|Spray", "sink 0.4, boat 0.2, fire hydrant 0.3"),
    ("Water tap, faucet|Sink (filling or washing)|Fill (with liquid)", "sink 1, bottle 0.3, cup 0.3"),
    ("Bathtub (filling or washing)", "sink 0.5"),
    ("Toilet flush", "toilet 1"),
    ("Pour|Liquid|Boiling|Stir", "bottle 0.7, cup 0.7, wine glass 0.6, bowl 0.5, vase 0.3, oven 0.3, person 0.2"),
    ("Glass|Chink, clink|Shatter|Ding|Ping", "wine glass 0.9, bottle 0.8, cup 0.6, vase 0.6, bowl 0.4"),
    # the house
    ("Dishes, pots, and pans|Cutlery, silverware|Clatter", "bowl 0.8, fork 0.7, knife 0.7, spoon 0.7, cup 0.6"),
    ("Frying (food)|Sizzle", "oven 0.7, bowl 0.5, pizza 0.3"),
    ("Chopping (food)", "knife 0.9"),
    ("Microwave oven", "microwave 1, oven 0.4"),
    ("Hair dryer", "hair drier 1, person 0.5"),
    ("Toothbrush|Electric toothbrush", "toothbrush 1, person 0.7"),
    ("Scissors", "scissors 1"),
    ("Typing|Computer keyboard|Clicking", "keyboard 1, laptop 0.8, mouse 0.5, person 0.4"),
    (
        "Telephone|Telephone bell ringing|Ringtone|Telephone dialing, DTMF|Dial tone|Busy signal|Beep, bleep",
        "cell phone 1, remote 0.2, microwave 0.2",
    ),
    ("Alarm clock|Clock|Tick|Tick-tock", "clock 1, cell phone 0.2"),
    ("Alarm|Buzzer", "clock 0.5, cell phone 0.5, car 0.3, oven 0.2"),
    ("Television|Radio", "tv 1, laptop 0.5, cell phone 0.4"),
    ("Mechanical fan|Air conditioning|Mains hum", "refrigerator 0.4, microwave 0.3, oven 0.3"),
    ("Squeak|Creak", "chair 0.3, bed 0.3, teddy bear 0.2"),
    # sport
    ("Basketball bounce|Bouncing", "sports ball 1, person 0.5"),
    ("Whoosh, swoosh, swish", "skis 0.6, snowboard 0.6, skateboard 0.4, person 0.4, frisbee 0.4, baseball bat 0.4"),
    ("Scrape", "skateboard 0.5, skis 0.5, snowboard 0.5, person 0.3, knife 0.3"),
    ("Wind noise (microphone)", "kite 0.3"),
)

_NOTHING = (
    "Silence|Sound effect|Music|Noise|Environmental noise|Static|White noise|Pink noise|Inside, small room|"
    "Inside, large room or hall|Inside, public space|Outside, urban or manmade|Outside, rural or natural|"
    "Reverberation|Echo|Distortion|Sidetone|Cacophony|Vibration|Field recording|Sine wave|Harmonic|Chirp tone|"
    "Pulse|Background music|Soundtrack music|Theme music|Ambient music|Happy music|Sad music|Tender music|"
    "Exciting music|Angry music|Scary music|Effects unit|Chorus effect|Video game music|Pop music|Hip hop music|"
    "Heavy metal|Punk rock|Grunge|Progressive rock|Rock and roll|Psychedelic rock|Rhythm and blues|Soul music|"
    "Reggae|Country|Swing music|Bluegrass|Funk|Middle Eastern music|Disco|Electronic music|House music|Techno|"
    "Dubstep|Drum and bass|Electronica|Electronic dance music|Trance music|Music of Latin America|Salsa music|"
    "Flamenco|Blues|Music for children|New-age music|Music of Africa|Afrobeat|Christian music|Gospel music|"
    "Music of Asia|Carnatic music|Music of Bollywood|Ska|Independent music|Jingle (music)|Lullaby|"
    "Christmas music|Dance music|Wedding music|Sampler|Drum machine"
)

# what a detector takes for one another: a thing of the wrong name is likelier the source than one of another kind
_LOOK_ALIKES = (
    "dog,cat,horse,sheep,cow,bear,zebra,giraffe,elephant",
    "car,truck,bus,motorcycle,train",
    "airplane,bird,kite",
    "bottle,cup,vase,wine glass,bowl",
    "skateboard,surfboard,snowboard,skis",
    "tv,laptop,cell phone,remote",
    "oven,microwave,refrigerator,toaster,sink",
)
_WRONG_NAME = 0.3

HELD = frozenset(f"{_INSTRUMENTS}|{_TOOLS}".split("|"))
"""Sounds of what a person holds: the sound comes from the hands, not from the middle of the body."""

OF_SEVERAL = frozenset(
    (
        "Conversation",
        "Chatter",
        "Crowd",
        "Hubbub, speech noise, speech babble",
        "Applause",
        "Cheering",
        "Children playing",
        "Children shouting",
        "Choir",
        "Livestock, farm animals, working animals",
    )
)
"""Sounds that one thing alone does not make. (Traffic is one, too, but mostly that of cars out of view.)"""

TELLS_NOTHING = frozenset(_NOTHING.split("|"))
"""Sounds that say nothing of what makes them."""


def thing_names() -> tuple[str, ...]:
    """Return the things, in the order of the table's columns: COCO's classes."""
    return tuple(entry.name for entry in CLASSES)


@cache
def makes() -> NDArray[np.float64]:
    """Return how likely each thing makes each sound, shape (521, 80), 0 to 1.

    Of several rows that name a pair the highest counts; what is easily taken for a maker counts a little.
    """
    sound_at = {name: index for index, name in enumerate(class_names())}
    thing_at = {name: index for index, name in enumerate(thing_names())}
    table = np.zeros((len(sound_at), len(thing_at)))
    for sounds, makers in _ROWS:
        for maker in makers.split(", "):
            thing, likely = maker.rsplit(" ", 1)
            for sound in sounds.split("|"):
                row, column = sound_at[sound], thing_at[thing]
                table[row, column] = max(table[row, column], float(likely))
    for group in _LOOK_ALIKES:
        columns = [thing_at[thing] for thing in group.split(",")]
        table[:, columns] = np.maximum(table[:, columns], _WRONG_NAME * table[:, columns].max(axis=1, keepdims=True))
    return table
