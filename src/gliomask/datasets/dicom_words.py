"""What the words of a DICOM series' name say: sequence, contrast, and what can't be used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType

from gliomask.datasets.names import words_of

UNUSABLE = MappingProxyType(
    {
        "a localizer": "loc localizer localiser localizers localisers scout scouts survey "
        "smartbrain",
        "diffusion": "adc eadc dwi dti diff diffusion trace tracew fa colfa b1000 ivim resolve",
        "susceptibility": "swi swan swip venobold qsm hemo medic t2star",
        "perfusion": "perf perfusion dsc dce asl pcasl pasl pwi cbf cbv rcbv mtt ttp dynasusc",
        "function": "bold fmri rest resting ep2d",
        "vessels": "mra mrv tof angio angiography angiogram venography venogram cemra pca",
        "spectroscopy": "mrs csi spectro spectroscopy svs",
        "calibration": "calibration calib asset refscan fieldmap shim b0map b1map gradwarp",
        "made from other series": "mip minip reformat reformatted reformats subtraction subtracted "
        "subtract map maps screen capture report fused projection",
        "another contrast": "stir ciss fiesta mp2rage phase",
    }
)
"""What a series shows that is no T1, T2 or FLAIR -> words of its name, in lower case."""

_T1, _T2 = re.compile(r"t1(?!\d|rho)"), re.compile(r"t2(?!\d|star)")
_T1_NAMES = frozenset(("mprage", "bravo", "spgr", "fspgr"))
_FLAIR = re.compile(r"flair|darkfluid|^tirm$")
_AFTER_T1 = re.compile(r"t1w?(ce|c|gd|gad|post)$")
_AFTER = {"gd", "gad", "gado", "gadolinium", "post", "postgd", "postgad", "postcontrast", "ce",
          "contrast", "enhanced", "km", "kontrast", "gadovist", "gadavist", "dotarem", "magnevist",
          "prohance", "multihance", "omniscan", "clariscan"}  # fmt: skip
_BEFORE = {"pre", "pregd", "pregad", "precontrast", "native", "nativ", "without", "non",
           "noncontrast", "unenhanced", "no"}  # fmt: skip
_SURGERY = {"op", "operative", "surgery", "surgical", "resection", "rt", "radiation",
            "radiotherapy"}  # fmt: skip
_SPELLED = (
    (re.compile(r"t2\s*[*]|t2[\s_-]*star"), " t2star "),
    (re.compile(r"dark[\s_-]*fluid"), " darkfluid "),
    (re.compile(r"w/o\b"), " without "),
    (re.compile(r"[+]\s*(c|gd|gad|km)\b|\b(c|gd|gad|km)\s*[+]"), " gd "),
)


def words(name: str) -> list[str]:
    """The words of a series' name in lower case, signs that mean something spelled out.

    >>> words("Ax T1 +C"), words("T2*_GRE")
    (['ax', 't1', 'gd'], ['t2star', 'gre'])
    """
    plain = name.lower()
    for pattern, spelled in _SPELLED:
        plain = pattern.sub(spelled, plain)
    return words_of(plain)


def unusable(named: Sequence[str]) -> str | None:
    """What a series shows by its words, if that is no T1, T2 or FLAIR."""
    for what, bad in UNUSABLE.items():
        if set(named) & set(bad.split()):
            return what
    return None


def weightings(named: Sequence[str]) -> set[str]:
    """Which of t1, t2 and flair the words speak of; a FLAIR may call itself T2 too."""
    found = set()
    if any(_T1.search(word) or word in _T1_NAMES for word in named):
        found.add("t1")
    if any(_T2.search(word) for word in named):
        found.add("t2")
    if any(_FLAIR.search(word) for word in named):
        found = found - {"t2"} | {"flair"}
    return found


def after_contrast(named: Sequence[str]) -> bool | None:
    """Whether the words place the series after a contrast agent (True) or before (False).

    None if they say nothing. What is before is so whatever else is said ("pre gad"); "post op" is
    no contrast.
    """
    if set(named) & _BEFORE:
        return False
    followers = zip(named, [*named[1:], ""], strict=False)
    told = any(
        (word in _AFTER and not (word == "post" and after in _SURGERY)) or _AFTER_T1.search(word)
        for word, after in followers
    )
    return True if told else None
