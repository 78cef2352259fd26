"""Which recordings of which packages are of which class: a table that people made by ear's description and by name.

Patterns are compared with the ends of paths. A recording that no rule names is left out: music, voices, sounds of
menus. `REVIEWED` holds what packages state about single sounds in prose, where their machine-readable list is silent or
speaks of folders only; each row has the words that must still stand in the named file.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PACKAGES", "REVIEWED", "RULES", "Reviewed"]

PACKAGES: tuple[str, ...] = (
    "openttd-opensfx",
    "sonic-pi-samples",
    "minetest-data",
    "supertuxkart-data",
    "endless-sky-data",
    "marsshooter-data",
    "lbreakouthd-data",
    "freecol",
    "gigalomania-data",
    "davegnukem-data",
    "lomiri-sounds",
    "sound-theme-freedesktop",
    "python-pygame-doc",
    "whichwayisup",
)
"""Debian packages that hold recordings which may be trained on."""

RULES: tuple[tuple[str, str], ...] = (
    # openttd-opensfx
    ("0[34]_*Steam_train*", "train"),
    ("03_Factory_Whistle*", "whistle"),
    ("05_Steam_engine*", "train"),
    ("06_Ship_horn*", "horn"),
    ("07_Ferry_horn*", "horn"),
    ("08_Propeller*", "propeller"),
    ("09_Early_jet*", "jet"),
    ("10_Diesel*", "train"),
    ("11_Mining*", "machine"),
    ("13_Steam*", "train"),
    ("14_Level_crossing*", "bell"),
    ("15_Road_vehicle*", "heavy-engine"),
    ("17_Crash*", "metal"),
    ("18_Explosion*", "explosion"),
    ("19_Big_crash*", "explosion"),
    ("2[12]_*", "beep"),
    ("23_Plane_wheels*", "skid"),
    ("24_Helicopter*", "propeller"),
    ("2[5678]_*", "heavy-engine"),
    ("29_Applause*", "applause"),
    ("02_Splat*", "splash"),
    ("3[12]_Splat*", "impact"),
    ("33_Jackhammer*", "machine"),
    ("35_Modern_car_horn*", "horn"),
    ("36_Sheep*", "livestock"),
    ("37_Cow*", "livestock"),
    ("38_Horse*", "beast"),
    ("39_Building*", "metal"),
    ("40_Sawmill*", "saw"),
    ("4[2345]_Toyland*", "machine"),
    ("4[679]_Toyland_Bubble*", "splash"),
    ("48_Toyland*", "splash"),
    ("5[27]_*ind*", "wind"),
    ("5[45]_Lumber*", "wood"),
    ("56_Lumber*", "saw"),
    ("59_Mach*", "jet"),
    ("61_Modern_jet*", "jet"),
    ("6[024]_Toyland*", "engine"),
    ("63_Toyland*", "engine"),
    ("65_Maglev*", "train"),
    ("71_Monorail*", "train"),
    ("66_Tropical_Bird*", "birds"),
    ("72_Tropical_Bird*", "birds"),
    ("67_Tropical_Lion*", "beast"),
    ("68_Tropical_Monkeys*", "beast"),
    ("69_Toyland_Propeller*", "propeller"),
    ("70_Toyland_Jet*", "jet"),
    ("20_Cash_till*", "keys"),
    # sonic-pi-samples
    ("ambi_dark_woosh*", "whoosh"),
    ("ambi_swoosh*", "whoosh"),
    ("perc_swash*", "whoosh"),
    ("ambi_glass_rub*", "glass"),
    ("ambi_glass_hum*", "glass"),
    ("misc_crow*", "birds"),
    ("perc_bell*", "bell"),
    ("elec_bell*", "bell"),
    ("elec_chime*", "bell"),
    ("elec_triangle*", "bell"),
    ("drum_cowbell*", "metal"),
    ("perc_till*", "keys"),
    ("elec_wood*", "wood"),
    ("elec_beep*", "beep"),
    ("elec_blip*", "beep"),
    ("elec_ping*", "beep"),
    ("misc_cineboom*", "explosion"),
    ("bd_*", "drum"),
    ("drum_*", "drum"),
    ("sn_*", "drum"),
    ("tabla_*", "drum"),
    ("elec_*snare*", "drum"),
    ("elec_*kick*", "drum"),
    ("elec_*tom*", "drum"),
    ("elec_cymbal*", "drum"),
    # minetest-data
    ("doors_*", "door"),
    ("xpanes_*door*", "door"),
    ("default_break_glass*", "glass"),
    ("default_dug_metal*", "metal"),
    ("default_dig_metal*", "metal"),
    ("default_place_node_metal*", "metal"),
    ("default_metal_footstep*", "footsteps-hard"),
    ("default_hard_footstep*", "footsteps-hard"),
    ("default_snow_footstep*", "footsteps-soft"),
    ("default_sand_footstep*", "footsteps-soft"),
    ("default_ice_*", "footsteps-soft"),
    ("default_water_footstep*", "splash"),
    ("default_dig_choppy*", "wood"),
    ("default_dig_cracky*", "metal"),
    ("default_tool_breaks*", "wood"),
    ("default_furnace_active*", "fire"),
    ("fire_*", "fire"),
    ("env_sounds_water*", "stream"),
    ("tnt_explode*", "explosion"),
    ("tnt_gunpowder*", "fire"),
    ("tnt_ignite*", "fire"),
    # supertuxkart-data
    ("skid.ogg", "skid"),
    ("car_accel.ogg", "engine"),
    ("car_revup.ogg", "engine"),
    ("exotic-birds*", "birds"),
    ("explosion.ogg", "explosion"),
    ("fireworks_show.ogg", "explosion"),
    ("hammer.ogg", "wood"),
    ("horn.ogg", "horn"),
    ("machine_sound.ogg", "machine"),
    ("metal_clang.ogg", "metal"),
    ("nitro.ogg", "jet"),
    ("plopp.ogg", "splash"),
    ("goo.ogg", "splash"),
    ("rain.ogg", "rain"),
    ("river_loop.ogg", "stream"),
    ("waterfall_loop*", "stream"),
    ("thunder.ogg", "thunder"),
    ("swatter.ogg", "impact"),
    ("wooden_bridge.ogg", "wood"),
    ("bowling_roll.ogg", "impact"),
    ("parachute.ogg", "whoosh"),
    ("clock.ogg", "keys"),
    # endless-sky-data
    ("alarm.wav", "beep"),
    ("fail.wav", "beep"),
    ("atomic *", "jet"),
    ("ion *", "jet"),
    ("plasma *", "jet"),
    ("afterburner*", "jet"),
    ("takeoff.wav", "jet"),
    ("flamethrower*", "fire"),
    ("bombardment.wav", "explosion"),
    ("nuke.wav", "explosion"),
    ("final explosion*", "explosion"),
    ("machinery.mp3", "machine"),
    ("meteor.wav", "explosion"),
    ("grab-strike.wav", "metal"),
    ("crunch.wav", "metal"),
    ("landing.wav", "heavy-engine"),
    # marsshooter-data, lbreakouthd-data, freecol, gigalomania-data and others
    ("blub*", "splash"),
    ("swish.wav", "whoosh"),
    ("ballExplode.wav", "explosion"),
    ("planetExplode.wav", "explosion"),
    ("shipExplode.wav", "explosion"),
    ("shipCollide.wav", "impact"),
    ("shipBallCollide.wav", "impact"),
    ("pump.wav", "machine"),
    ("countdown.wav", "beep"),
    ("brickhit.wav", "impact"),
    ("explosion.wav", "explosion"),
    ("shot.wav", "gun"),
    ("artillery.ogg", "gun"),
    ("bombard.ogg", "gun"),
    ("naval.ogg", "gun"),
    ("dragoon.ogg", "hooves"),
    ("fountain.ogg", "stream"),
    ("building.ogg", "wood"),
    ("load.ogg", "impact"),
    ("sell.ogg", "keys"),
    ("mission.ogg", "bell"),
    ("biplane.ogg", "propeller"),
    ("bomb.wav", "explosion"),
    ("jetplane.ogg", "jet"),
    ("soft_explode.wav", "explosion"),
    ("sfx_weapon_singleshot*", "gun"),
    ("key_pickup.wav", "keys"),
    ("camera_*", "keys"),
    ("bell.oga", "bell"),
    ("boom.wav", "explosion"),
    ("car_door.wav", "door"),
    ("punch.wav", "impact"),
    ("whiff.wav", "whoosh"),
    ("coins.ogg", "keys"),
    ("fire.ogg", "fire"),
    ("kling.ogg", "metal"),
    ("woosh.ogg", "whoosh"),
    ("click.ogg", "keys"),
)
"""End of a path and class; the first that fits holds."""


class Reviewed(NamedTuple):
    """What a package states in prose.

    Parameters
    ----------
    package : str
        Name.
    pattern : str
        End of the paths that are meant.
    licence : str
        Short name.
    holders : str
        Who is to be named.
    file : str
        Path in the package, as a pattern, of the file that states it.
    words : str
        What stands there.
    """

    package: str
    pattern: str
    licence: str
    holders: str
    file: str
    words: str


_DEFAULT, _FIRE, _ENV = (f"*/mods/{name}/README.txt" for name in ("default", "fire", "env_sounds"))

REVIEWED: tuple[Reviewed, ...] = (
    Reviewed("minetest-data", "default_break_glass*", "CC-BY-3.0", "cmusounddesign, Tomlija, lsprice", _DEFAULT,
             "Glass breaking sounds (CC BY 3.0)"),
    Reviewed("minetest-data", "default_dig_metal*", "CC-BY-3.0", "yadronoff", _DEFAULT,
             "default_dig_metal.ogg - yadronoff - CC-BY-3.0"),
    Reviewed("minetest-data", "default_dug_metal*", "CC0", "Iwan Gabovitch", _DEFAULT,
             "default_dug_metal.*.ogg - Iwan Gabovitch - qubodup - CC0"),
    Reviewed("minetest-data", "default_metal_footstep*", "CC0", "mypantsfelldown", _DEFAULT,
             "default_metal_footstep.*.ogg - (CC0 1.0) - CC0 1.0"),
    Reviewed("minetest-data", "default_place_node_metal*", "CC0", "Ogrebane", _DEFAULT,
             "default_place_node_metal.*.ogg - Ogrebane - CC0"),
    Reviewed("minetest-data", "default_tool_breaks*", "CC-BY-3.0", "HerbertBoland, sofar", _DEFAULT,
             "Tool breaking sounds added by sofar: CC-BY-3.0"),
    Reviewed("minetest-data", "default_water_footstep*", "CC-BY-3.0", "AGFX", _DEFAULT, "AGFX (CC BY 3.0)"),
    Reviewed("minetest-data", "default_snow_footstep*", "CC0", "Ryding", _DEFAULT, "Ryding (CC0 1.0)"),
    Reviewed("minetest-data", "default_dig_choppy*", "CC0", "Sheyvan", _DEFAULT, "Sheyvan (CC0 1.0)"),
    Reviewed("minetest-data", "fire_small*", "CC-BY-3.0", "dobroide", _FIRE, "dobroide (CC BY 3.0)"),
    Reviewed("minetest-data", "fire_large*", "CC-BY-3.0", "Dynamicell", _FIRE, "Dynamicell (CC BY 3.0)"),
    Reviewed("minetest-data", "fire_fire*", "CC-BY-3.0", "Dynamicell", _FIRE, "Dynamicell (CC BY 3.0)"),
    Reviewed("minetest-data", "env_sounds_water*", "CC0", "Yuval", _ENV, "Yuval (CC0 1.0)"),
    Reviewed("endless-sky-data", "usr/share/games/endless-sky/sounds/*", "public-domain", "various, from freesound.org",
             "usr/share/doc/endless-sky-data/copyright", "Based on public domain sounds taken from freesound.org."),
)  # fmt: skip
"""Rows; the last that fits a file holds, and goes before the machine-readable list unless that names the file."""
