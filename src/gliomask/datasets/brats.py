"""The BraTS challenges from 2017 on, and FeTS.

    HGG/Brats18_TCIA08_469_1/Brats18_TCIA08_469_1_{flair,t1,t1ce,t2,seg}.nii.gz   2017 to 2019
    BraTS20_Training_001/BraTS20_Training_001_{flair,t1,t1ce,t2,seg}.nii          2020
    BraTS2021_00000/BraTS2021_00000_{flair,t1,t1ce,t2,seg}.nii.gz                 2021
    BraTS-GLI-00000-000/BraTS-GLI-00000-000-{t2f,t1n,t1c,t2w,seg}.nii.gz          from 2023
    BraTS-MEN-RT-0000-1/BraTS-MEN-RT-0000-1_{t1c,gtv}.nii.gz                      from 2024

From 2023 there are several sets: GLI (adults), SSA (sub-Saharan Africa), PED (children), MET, MEN,
with different label numbers: see ``mask_labels.numbers``.

From 2023 the last number of a name is the time point, which is not part of the patient's key. The
mask of case 355 of 2020 is called ``W39_1998.09.19_Segm.nii``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.identity import patient_of, safe_name
from gliomask.datasets.folders import examinations, folders, one_each, volumes
from gliomask.datasets.layout import Cases, Layout, LayoutVerdict, Problem, first_with, in_folders
from gliomask.datasets.names import is_mask
from gliomask.errors import InputError

_GRADES = ("HGG", "LGG")


@dataclass(frozen=True)
class _Style:
    """A naming scheme: pattern of the names, and suffix -> sequence."""

    pattern: re.Pattern[str]
    sequences: Mapping[str, str]


_UNTIL_2021 = _Style(
    re.compile(r"(?P<case>(?:brats|fets20)\d\d\w*)_(?P<kind>t1|t1ce|t2|flair|seg)", re.IGNORECASE),
    {"t1": "t1", "t1ce": "t1ce", "t2": "t2", "flair": "flair"},
)
_FROM_2023 = _Style(
    re.compile(r"(?P<case>brats-[a-z]+-\d+(-\d+)?)-(?P<kind>t1n|t1c|t2w|t2f|seg)", re.IGNORECASE),
    {"t1n": "t1", "t1c": "t1ce", "t2w": "t2", "t2f": "flair"},
)
_RADIOTHERAPY = _Style(
    re.compile(r"(?P<case>brats-men-rt-\d+-\d+)_(?P<kind>t1c|gtv)", re.IGNORECASE), {"t1c": "t1ce"}
)
_STYLES = (_UNTIL_2021, _FROM_2023, _RADIOTHERAPY)


def looks_like(root: Path) -> LayoutVerdict:
    """Check for a folder of such files, or of folders of them, also in ``HGG`` and ``LGG``."""
    for style in _STYLES:
        folder = first_with(_places(root), partial(examinations, pattern=style.pattern))
        if folder is not None:
            name = next(iter(examinations(folder, style.pattern)))
            return LayoutVerdict(True, f"{folder.name} contains the files of {name}")
    return LayoutVerdict(
        False, "no folder with BraTS<year>_..._{t1,t1ce,t2,flair} or BraTS-...-{t1n,t1c}"
    )


def cases(root: Path) -> Cases:
    """Each examination is a case. Label schemes follow from names and numbers (``mask_labels``)."""
    cases_found: list[Case] = []
    problems: list[Problem] = []
    for style in _STYLES:
        of_style, unusable = in_folders(_places(root), partial(_cases_in, style=style))
        cases_found += of_style
        problems += unusable
    return tuple(cases_found), tuple(dict.fromkeys(problems))


LAYOUT = Layout("brats", looks_like, cases)


def _places(root: Path) -> list[Path]:
    """Folders that may contain files of examinations."""
    return [
        root,
        *folders(root),
        *(f for g in _GRADES if (root / g).is_dir() for f in folders(root / g)),
    ]


def _cases_in(folder: Path, style: _Style) -> Cases:
    cases, problems = [], []
    for name, kinds in examinations(folder, style.pattern).items():
        try:
            cases.append(_case(name, folder, kinds, style))
        except InputError as problem:
            problems.append(Problem(name, str(problem)))
    return tuple(cases), tuple(problems)


def _case(name: str, folder: Path, kinds: dict[str, list[Path]], style: _Style) -> Case:
    files = one_each(kinds)
    images = {
        sequence: ImageFile((files[k],)) for k, sequence in style.sequences.items() if k in files
    }
    mask = files.get("seg", files.get("gtv"))
    misnamed = _misnamed_mask(folder, style) if mask is None else None
    label = mask or misnamed
    return Case(
        id=safe_name(name),
        patient=patient_of(name),
        images=images,
        label=ImageFile((label,)) if label else None,
        source=LAYOUT.name,
        notes=(f"the mask is {misnamed.name}",) if misnamed else (),
    )


def _misnamed_mask(folder: Path, style: _Style) -> Path | None:
    """The only file in a case's folder with a mask name that does not contain the case."""
    others = [
        p for name, p in volumes(folder) if is_mask(name) and not style.pattern.fullmatch(name)
    ]
    return others[0] if len(others) == 1 and len(examinations(folder, style.pattern)) == 1 else None
