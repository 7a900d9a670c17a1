"""BraTS-TCGA-LGG and BraTS-TCGA-GBM: expert masks for patients of the Cancer Genome Atlas.

    Pre-operative_TCGA_LGG_NIfTI_and_Segmentations/
      TCGA-CS-4942/TCGA-CS-4942_1997.02.22_{flair,t1,t1Gd,t2}.nii.gz
                   TCGA-CS-4942_1997.02.22_GlistrBoost.nii.gz
                   TCGA-CS-4942_1997.02.22_GlistrBoost_ManuallyCorrected.nii.gz

65 and 102 patients, skull-stripped, 240 x 240 x 155, 1 mm. The manually corrected mask is used if
it exists; a few patients have only the automatic one. ``t1`` is the native T1.

Source: Bakas et al. 2017, https://doi.org/10.1038/sdata.2017.117
"""

from __future__ import annotations

import re
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.identity import patient_of, tcga_site
from gliomask.core.label_scheme import BRATS_2021
from gliomask.datasets.folders import examinations, folders, one_each
from gliomask.datasets.layout import Cases, Layout, LayoutVerdict, Problem, first_with, in_folders
from gliomask.errors import InputError

LICENCE = "CC BY 3.0"
SEQUENCES = {"t1": "t1", "t1gd": "t1ce", "t2": "t2", "flair": "flair"}
"""Ending of the file's name, in lower case -> sequence."""

_FILE = re.compile(r"(?P<case>TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}_\d{4}\.\d{2}\.\d{2})_(?P<kind>.+)")
_MASKS = ("glistrboost_manuallycorrected", "glistrboost")


def looks_like(root: Path) -> LayoutVerdict:
    """Check for a folder with such files, or a folder of such folders."""
    folder = first_with((root, *folders(root)), lambda place: examinations(place, _FILE))
    if folder is None:
        return LayoutVerdict(False, "no folder with TCGA-XX-XXXX_<date>_{t1,t1Gd,t2,flair}.nii.gz")
    return LayoutVerdict(True, f"{folder.name} contains files named TCGA-XX-XXXX_<date>_<sequence>")


def cases(root: Path) -> Cases:
    """Each examination is a case."""
    return in_folders((root, *folders(root)), _cases_in)


LAYOUT = Layout("tcga_lgg", looks_like, cases)


def _cases_in(folder: Path) -> Cases:
    cases, problems = [], []
    for name, kinds in examinations(folder, _FILE).items():
        try:
            cases.append(_case(name, one_each(kinds)))
        except InputError as problem:
            problems.append(Problem(name, str(problem)))
    return tuple(cases), tuple(problems)


def _case(name: str, files: dict[str, Path]) -> Case:
    images = {s: ImageFile((files[kind],)) for kind, s in SEQUENCES.items() if kind in files}
    mask = next((kind for kind in _MASKS if kind in files), None)
    automatic = ("no corrected mask, so the automatic one (GlistrBoost) is used",)
    return Case(
        id=name,
        patient=patient_of(name),
        images=images,
        label=ImageFile((files[mask],)) if mask else None,
        scheme=BRATS_2021,
        source=LAYOUT.name,
        site=tcga_site(name),
        licence=LICENCE,
        notes=automatic if mask == "glistrboost" else (),
    )
