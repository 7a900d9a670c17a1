"""UPENN-GBM: glioblastomas of the University of Pennsylvania (630 patients).

    images_structural/UPENN-GBM-00002_11/UPENN-GBM-00002_11_{T1,T1GD,T2,FLAIR}.nii.gz
    images_segm/UPENN-GBM-00002_11_segm.nii.gz                             corrected manually
    automated_segm/UPENN-GBM-00002_11_automated_approx_segm.nii.gz         automatic

Skull-stripped, 240 x 240 x 155, 1 mm. The last two digits are the time point (11 before surgery, 21
a later one). The corrected mask is used if it exists; otherwise the automatic one, with a note.
``images_structural_unstripped`` is used for examinations without stripped images.

Source: Bakas et al. 2022, https://doi.org/10.1038/s41597-022-01560-7
"""

from __future__ import annotations

import re
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.identity import patient_of
from gliomask.core.label_scheme import BRATS_2021
from gliomask.datasets.folders import gathered, one_each, within
from gliomask.datasets.layout import Cases, Layout, LayoutVerdict, Problem, first_with
from gliomask.errors import InputError

LICENCE = "CC BY 4.0"
SEQUENCES = {"t1": "t1", "t1gd": "t1ce", "t2": "t2", "flair": "flair"}
"""Ending of the file's name, in lower case -> sequence."""

_CASE = r"(?P<case>UPENN-GBM-\d{5}_\d{2})"
_KIND = r"(t1|t1gd|t2|flair)(_unstripped)?"
_IMAGE = re.compile(rf"{_CASE}_(?P<kind>{_KIND})", re.IGNORECASE)
_FILE = re.compile(rf"{_CASE}_(?P<kind>{_KIND}|segm|automated_approx_segm)", re.IGNORECASE)
_CORRECTED, _AUTOMATIC, _UNSTRIPPED = "segm", "automated_approx_segm", "_unstripped"


def looks_like(root: Path) -> LayoutVerdict:
    """Check for a folder with such images, up to two levels deep."""
    folder = first_with(within(root, 2), lambda place: gathered([place], _IMAGE))
    if folder is None:
        return LayoutVerdict(False, "no UPENN-GBM-<n>_<time point>_{T1,T1GD,T2,FLAIR}.nii.gz")
    return LayoutVerdict(
        True, f"{folder.name} contains files named UPENN-GBM-<n>_<time point>_<sequence>"
    )


def cases(root: Path) -> Cases:
    """Each examination is a case; its files are collected from all folders."""
    cases_found, problems = [], []
    for name, kinds in gathered(within(root, 2), _FILE).items():
        try:
            cases_found.append(_case(name, one_each(kinds)))
        except InputError as problem:
            problems.append(Problem(name, str(problem)))
    return tuple(cases_found), tuple(problems)


LAYOUT = Layout("upenn_gbm", looks_like, cases, by_folder=False)


def _case(name: str, files: dict[str, Path]) -> Case:
    stripped = {s: files[kind] for kind, s in SEQUENCES.items() if kind in files}
    whole = {
        s: files[kind + _UNSTRIPPED] for kind, s in SEQUENCES.items() if kind + _UNSTRIPPED in files
    }
    images = stripped or whole
    mask = next((kind for kind in (_CORRECTED, _AUTOMATIC) if kind in files), None)
    automatic = ("no corrected mask, so the automatic one is used",)
    return Case(
        id=name,
        patient=patient_of(name),
        images={sequence: ImageFile((path,)) for sequence, path in images.items()},
        label=ImageFile((files[mask],)) if mask else None,
        scheme=BRATS_2021,
        source=LAYOUT.name,
        licence=LICENCE,
        notes=automatic if mask == _AUTOMATIC else (),
    )
