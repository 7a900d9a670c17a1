"""Data sets of thousands of tiny synthetic patients, and their masks."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from benchmarks.examinations import synthetic_head, synthetic_tumour
from gliomask.formats.nifti import write_nifti

SHAPE = (24, 24, 6)
AFFINE = np.diag([-1.0, -1, 4, 1])
_DIFFERENT = 10
"""Patients whose files are written; those of the others are links to them."""


def tiny_cohort(root: Path, patients: int) -> Path:
    """A data set in the layout of BraTS 2021: a FLAIR and a mask of 24 x 24 x 6 each.

    Every tenth patient has the same voxels, under another name.
    """
    for number in range(patients):
        name = f"BraTS2021_{10000 + number}"
        like = f"BraTS2021_{10000 + number % _DIFFERENT}"
        if number < _DIFFERENT:
            _write(root / name, name, number)
            continue
        (root / name).mkdir(parents=True)
        for kind in ("flair", "seg"):
            source = root / like / f"{like}_{kind}.nii.gz"
            os.link(source, root / name / f"{name}_{kind}.nii.gz")
    return root


def masks_to_score(root: Path, cases: int, shape: tuple[int, int, int]) -> tuple[Path, Path]:
    """Folders of reference masks and of predictions that are shifted by two voxels."""
    mask = synthetic_tumour(shape).astype(np.uint8)
    folders = root / "references", root / "predictions"
    for folder, labels in zip(folders, (mask, np.roll(mask, 2, axis=0)), strict=True):
        first = folder / "case0000.nii.gz"
        write_nifti(first, labels, AFFINE)
        for number in range(1, cases):
            os.link(first, folder / f"case{number:04d}.nii.gz")
    return folders


def _write(folder: Path, name: str, number: int) -> None:
    image = synthetic_head(SHAPE, "flair").astype(np.float32) + number
    write_nifti(folder / f"{name}_flair.nii.gz", image, AFFINE)
    mask = np.roll(synthetic_tumour(SHAPE), number % 5, axis=1).astype(np.uint8)
    write_nifti(folder / f"{name}_seg.nii.gz", mask, AFFINE)
