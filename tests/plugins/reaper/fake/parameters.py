"""Names and defaults of the numbers that items, takes, tracks and envelopes carry (REAPER's documented `parmname`s)."""

from __future__ import annotations

ITEM: dict[str, float] = {
    "B_MUTE": 0.0, "B_MUTE_ACTUAL": 0.0, "C_LANEPLAYS": 1.0, "C_MUTE_SOLO": 0.0, "B_LOOPSRC": 0.0,
    "B_ALLTAKESPLAY": 0.0, "B_UISEL": 0.0, "C_BEATATTACHMODE": -1.0, "C_AUTOSTRETCH": 0.0, "C_LOCK": 0.0,
    "D_VOL": 1.0, "D_POSITION": 0.0, "D_LENGTH": 0.0, "D_SNAPOFFSET": 0.0, "D_FADEINLEN": 0.0,
    "D_FADEOUTLEN": 0.0, "D_FADEINDIR": 0.0, "D_FADEOUTDIR": 0.0, "D_FADEINLEN_AUTO": -1.0,
    "D_FADEOUTLEN_AUTO": -1.0, "C_FADEINSHAPE": 0.0, "C_FADEOUTSHAPE": 0.0, "I_GROUPID": 0.0, "I_LASTY": 0.0,
    "I_LASTH": 0.0, "I_CUSTOMCOLOR": 0.0, "I_CURTAKE": 0.0, "IP_ITEMNUMBER": 0.0, "F_FREEMODE_Y": 0.0,
    "F_FREEMODE_H": 1.0, "I_FIXEDLANE": 0.0,
}  # fmt: skip
TAKE: dict[str, float] = {
    "D_STARTOFFS": 0.0, "D_VOL": 1.0, "D_PAN": 0.0, "D_PANLAW": -1.0, "D_PLAYRATE": 1.0, "D_PITCH": 0.0,
    "B_PPITCH": 1.0, "I_LASTY": 0.0, "I_LASTH": 0.0, "I_CHANMODE": 0.0, "I_PITCHMODE": -1.0,
    "I_STRETCHFLAGS": 0.0, "F_STRETCHFADESIZE": 0.0025, "I_RECPASSID": 0.0, "I_TAKEFX_NCH": 2.0,
    "I_CUSTOMCOLOR": 0.0, "IP_TAKENUMBER": 0.0,
}  # fmt: skip
TRACK: dict[str, float] = {
    "B_MUTE": 0.0, "B_PHASE": 0.0, "IP_TRACKNUMBER": 0.0, "I_SOLO": 0.0, "B_SOLO_DEFEAT": 0.0, "I_FXEN": 1.0,
    "I_RECARM": 0.0, "I_RECINPUT": 0.0, "I_RECMODE": 0.0, "I_RECMON": 0.0, "I_AUTOMODE": 0.0, "I_NCHAN": 2.0,
    "I_SELECTED": 0.0, "I_WNDH": 0.0, "I_TCPH": 0.0, "I_TCPY": 0.0, "I_FOLDERDEPTH": 0.0,
    "I_FOLDERCOMPACT": 0.0, "I_CUSTOMCOLOR": 0.0, "I_HEIGHTOVERRIDE": 0.0, "B_HEIGHTLOCK": 0.0, "D_VOL": 1.0,
    "D_PAN": 0.0, "D_WIDTH": 1.0, "D_DUALPANL": -1.0, "D_DUALPANR": 1.0, "I_PANMODE": 3.0, "D_PANLAW": -1.0,
    "B_SHOWINMIXER": 1.0, "B_SHOWINTCP": 1.0, "B_MAINSEND": 1.0, "C_MAINSEND_OFFS": 0.0, "C_MAINSEND_NCH": 0.0,
    "C_BEATATTACHMODE": -1.0, "B_FREEMODE": 0.0, "I_FREEMODE": 0.0, "D_PLAY_OFFSET": 0.0,
    "I_PLAY_OFFSET_FLAG": 1.0,
}  # fmt: skip
PROJECT: dict[str, float] = {
    "PROJECT_SRATE": 48000.0, "PROJECT_SRATE_USE": 0.0, "RENDER_SRATE": 0.0, "RENDER_CHANNELS": 2.0,
    "RENDER_STARTPOS": 0.0, "RENDER_ENDPOS": 0.0, "RENDER_BOUNDSFLAG": 1.0, "RENDER_TAILFLAG": 0.0,
    "RENDER_TAILMS": 1000.0, "RENDER_SETTINGS": 0.0,
}  # fmt: skip

READ_ONLY = frozenset(
    {
        "B_MUTE_ACTUAL",
        "I_LASTY",
        "I_LASTH",
        "IP_ITEMNUMBER",
        "IP_TAKENUMBER",
        "IP_TRACKNUMBER",
        "I_WNDH",
        "I_TCPH",
        "I_TCPY",
    }
)
"""What REAPER itself keeps: reading is fine, writing is not."""
