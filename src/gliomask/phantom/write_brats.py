"""Cohorts laid out like the BraTS challenges, and like sets that follow them: BraTS-TCGA-LGG,
UPENN-GBM, UCSF-PDGM.

The numbers and names of cases are beyond those of any real patient: BraTS 2021 ends at 01666, no
hospital of the Cancer Genome Atlas numbers its patients from 0001.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from scipy import ndimage

from gliomask.core.labels import ENHANCING, NECROSIS, OEDEMA, LabelArray
from gliomask.core.volume import Affine
from gliomask.phantom.layout import (
    LayoutWriter,
    SyntheticPatient,
    flipped,
    write_image,
    write_labels,
)

UNTIL_2021 = {NECROSIS: 1, OEDEMA: 2, ENHANCING: 4}
FROM_2023 = {NECROSIS: 1, OEDEMA: 2, ENHANCING: 3}
_PLAIN = {"t1": "t1", "t1ce": "t1ce", "t2": "t2", "flair": "flair"}
_GLI = {"t1": "t1n", "t1ce": "t1c", "t2": "t2w", "flair": "t2f"}
_TCGA = {"t1": "t1", "t1ce": "t1Gd", "t2": "t2", "flair": "flair"}
_UPENN = {"t1": "T1", "t1ce": "T1GD", "t2": "T2", "flair": "FLAIR"}
_UCSF = {"t1": "T1", "t1ce": "T1c", "t2": "T2", "flair": "FLAIR"}
_CORRECTED_TOO = 2
"""Every so many patients of UPENN-GBM have a corrected mask."""
_AUTOMATIC_ONLY = 20
"""About every so many patients of BraTS-TCGA-LGG have no manually corrected mask (3 of 65)."""


def _brats_affine(patient: SyntheticPatient) -> Affine:
    """Axes L, P, S with the origin at a corner, as all BraTS volumes until 2021 have it."""
    i, j, k = np.abs(np.diag(patient.volume.affine)[:3])
    affine = np.diag([-i, -j, k, 1.0])
    affine[1, 3] = j * (patient.labels.shape[1] - 1)
    return affine


def _write_images(
    stem: Path, ending: str, patient: SyntheticPatient, affine: Affine, kinds: Mapping[str, str]
) -> None:
    """Every sequence as ``<stem><kind><ending>``."""
    for sequence, image in zip(patient.volume.sequences, patient.volume.array, strict=True):
        write_image(stem.with_name(f"{stem.name}{kinds[sequence]}{ending}"), image, affine)


def _brats(
    name: Callable[[SyntheticPatient], str],
    folder: Path,
    patient: SyntheticPatient,
    *,
    ending: str = ".nii.gz",
) -> None:
    """Until 2021: names with underscores, enhancing tumour is 4."""
    case = folder / name(patient)
    turned = flipped(patient, (0, 1))
    affine = _brats_affine(patient)
    stem = case / f"{case.name}_"
    _write_images(stem, ending, turned, affine, _PLAIN)
    write_labels(stem.with_name(f"{stem.name}seg{ending}"), turned.labels, affine, UNTIL_2021)


def _gli(set_: str, first: int, timepoint: str, folder: Path, patient: SyntheticPatient) -> None:
    """Write BraTS from 2023: names with hyphens, enhancing tumour is 3."""
    case = folder / f"BraTS-{set_}-{first + patient.number:05d}-{timepoint}"
    turned = flipped(patient, (0, 1))
    affine = _brats_affine(patient)
    stem = case / f"{case.name}-"
    _write_images(stem, ".nii.gz", turned, affine, _GLI)
    write_labels(stem.with_name(f"{stem.name}seg.nii.gz"), turned.labels, affine, FROM_2023)


def _name_2018(patient: SyntheticPatient) -> str:
    grade = "HGG" if (patient.labels == ENHANCING).any() else "LGG"
    return f"{grade}/Brats18_PHANTOM_{patient.number:03d}_1"


def _tcga(folder: Path, patient: SyntheticPatient) -> None:
    """BraTS-TCGA-LGG: an automatic mask, and for most patients a manually corrected one."""
    barcode = f"TCGA-PH-{patient.number:04d}"
    stem = folder / barcode / f"{barcode}_2000.01.01_"
    turned, affine = flipped(patient, (0, 1)), _brats_affine(patient)
    _write_images(stem, ".nii.gz", turned, affine, _TCGA)
    automatic, manual = "GlistrBoost.nii.gz", "GlistrBoost_ManuallyCorrected.nii.gz"
    drawn = _as_automatic(turned.labels)
    write_labels(stem.with_name(stem.name + automatic), drawn, affine, UNTIL_2021)
    if patient.number % _AUTOMATIC_ONLY:
        write_labels(stem.with_name(stem.name + manual), turned.labels, affine, UNTIL_2021)


def _upenn(folder: Path, patient: SyntheticPatient) -> None:
    """UPENN-GBM: masks in separate folders, an automatic one and for some a corrected one."""
    name = f"UPENN-GBM-{90000 + patient.number}_11"
    turned, affine = flipped(patient, (0, 1)), _brats_affine(patient)
    stem = folder / "images_structural" / name / f"{name}_"
    _write_images(stem, ".nii.gz", turned, affine, _UPENN)
    automatic = folder / "automated_segm" / f"{name}_automated_approx_segm.nii.gz"
    if patient.number % _CORRECTED_TOO:
        write_labels(automatic, turned.labels, affine, UNTIL_2021)
        return
    write_labels(automatic, _as_automatic(turned.labels), affine, UNTIL_2021)
    corrected = folder / "images_segm" / f"{name}_segm.nii.gz"
    write_labels(corrected, turned.labels, affine, UNTIL_2021)


def _ucsf(folder: Path, patient: SyntheticPatient) -> None:
    """UCSF-PDGM: also a mask of the brain, and for some images a bias-field corrected copy."""
    name = f"UCSF-PDGM-{9000 + patient.number:04d}"
    turned, affine = flipped(patient, (0, 1)), _brats_affine(patient)
    stem = folder / f"{name}_nifti" / f"{name}_"
    _write_images(stem, ".nii.gz", turned, affine, _UCSF)
    _write_images(stem, "_bias.nii.gz", turned, affine, _UCSF)
    tumour = stem.with_name(f"{stem.name}tumor_segmentation.nii.gz")
    write_labels(tumour, turned.labels, affine, UNTIL_2021)
    brain = np.any(turned.volume.array > 0, axis=0).astype(np.uint8)
    write_labels(stem.with_name(f"{stem.name}brain_segmentation.nii.gz"), brain, affine, {1: 1})


def _as_automatic(labels: LabelArray) -> LabelArray:
    """Labels with a rim of oedema too many, so that it matters which mask is read."""
    grown = ndimage.binary_dilation(labels > 0)
    return np.where(labels > 0, labels, grown * OEDEMA).astype(np.uint8)


WRITERS = {
    "brats": LayoutWriter(partial(_brats, lambda p: f"BraTS2021_{90000 + p.number}")),
    "brats2018": LayoutWriter(partial(_brats, _name_2018)),
    "brats2017": LayoutWriter(partial(_brats, lambda p: f"Brats17_PHANTOM_{p.number:03d}_1")),
    "brats2020": LayoutWriter(
        partial(_brats, lambda p: f"BraTS20_Training_{900 + p.number}", ending=".nii")
    ),
    "brats2023": LayoutWriter(partial(_gli, "GLI", 90000, "000")),
    "brats2024": LayoutWriter(partial(_gli, "GLI", 92000, "100")),
    "brats_ssa": LayoutWriter(partial(_gli, "SSA", 94000, "000")),
    "tcga_lgg": LayoutWriter(_tcga),
    "upenn_gbm": LayoutWriter(_upenn),
    "ucsf_pdgm": LayoutWriter(_ucsf),
}
"""Layout -> how it is written."""
