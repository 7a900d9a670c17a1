"""UCSF-PDGM: diffuse gliomas before surgery, of the University of California San Francisco.

    UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_{T1,T1c,T2,FLAIR}.nii.gz
                         UCSF-PDGM-0004_{T1,T1c,T2,FLAIR}_bias.nii.gz     bias-field corrected
                         UCSF-PDGM-0004_tumor_segmentation.nii.gz
                         UCSF-PDGM-0004_brain_segmentation.nii.gz ...

Skull-stripped, 240 x 240 x 155, 1 mm; there are also diffusion, perfusion and susceptibility
images. The corrected images are used only if the others are missing. In copies the
contrast-enhanced image is called ``T1gad``. A name with ``_FU003d`` is a later examination of the
patient.

Source: Calabrese et al. 2022, https://doi.org/10.1148/ryai.220058
"""

from __future__ import annotations

import re
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.identity import patient_of
from gliomask.core.label_scheme import BRATS_2021
from gliomask.datasets.folders import gathered, one_each, within
from gliomask.datasets.layout import Cases, Layout, LayoutVerdict, Problem, first_with, in_folders
from gliomask.errors import InputError

LICENCE = "CC BY 4.0"
SEQUENCES = {"t1": "t1", "t1c": "t1ce", "t1gad": "t1ce", "t2": "t2", "flair": "flair"}
"""Ending of the file's name, in lower case -> sequence."""

_CASE = r"(?P<case>UCSF-PDGM-\d{3,4}(_FU\d+d)?)"
_IMAGE = re.compile(rf"{_CASE}_(?P<kind>(t1|t1c|t1gad|t2|flair)(_bias)?)", re.IGNORECASE)
_MASK = re.compile(rf"{_CASE}_(?P<kind>tumor_segmentation)", re.IGNORECASE)


def looks_like(root: Path) -> LayoutVerdict:
    """Check for a folder with such images, or a folder of such folders."""
    folder = first_with(within(root, 1), lambda place: gathered([place], _IMAGE))
    if folder is None:
        return LayoutVerdict(False, "no folder with UCSF-PDGM-<n>_{T1,T1c,T2,FLAIR}.nii.gz")
    return LayoutVerdict(True, f"{folder.name} contains files named UCSF-PDGM-<n>_<sequence>")


def cases(root: Path) -> Cases:
    """Each examination is a case."""
    return in_folders(within(root, 1), _cases_in)


LAYOUT = Layout("ucsf_pdgm", looks_like, cases)


def _cases_in(folder: Path) -> Cases:
    cases, problems = [], []
    masks = gathered([folder], _MASK)
    images = gathered([folder], _IMAGE)
    for name in dict.fromkeys([*images, *masks]):
        try:
            cases.append(_case(name, one_each(images.get(name, {})), one_each(masks.get(name, {}))))
        except InputError as problem:
            problems.append(Problem(name, str(problem)))
    return tuple(cases), tuple(problems)


def _case(name: str, files: dict[str, Path], masks: dict[str, Path]) -> Case:
    plain = {s: files[kind] for kind, s in SEQUENCES.items() if kind in files}
    corrected = {s: files[f"{k}_bias"] for k, s in SEQUENCES.items() if f"{k}_bias" in files}
    images = plain or corrected
    mask = masks.get("tumor_segmentation")
    return Case(
        id=name,
        patient=patient_of(name),
        images={sequence: ImageFile((path,)) for sequence, path in images.items()},
        label=ImageFile((mask,)) if mask else None,
        scheme=BRATS_2021,
        source=LAYOUT.name,
        licence=LICENCE,
        notes=() if plain else ("only the bias-field corrected images exist",),
    )
