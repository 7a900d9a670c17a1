"""Data sets of a few voxels, made by hand, a file at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gliomask.core.case import Case
from gliomask.core.labels import LabelArray
from gliomask.datasets.load import load_case
from gliomask.datasets.mask_labels.case_schemes import resolve_cases
from gliomask.formats.nifti import write_nifti
from gliomask.formats.pictures import write_picture

AFFINE = np.array([[-1.0, 0, 0, 0], [0, -1, 0, 8], [0, 0, 2, 0], [0, 0, 0, 1]])
SHAPE = (8, 9, 6)


def intensities(seed: int) -> npt.NDArray[np.int16]:
    """An image (8, 9, 6) of many values, few of them 0."""
    return np.random.default_rng(seed).integers(0, 900, SHAPE).astype(np.int16)


def numbers(*values: int) -> npt.NDArray[np.uint8]:
    """A mask (8, 9, 6), mostly 0, with four voxels of each value in slice 2 and beyond."""
    labels = np.zeros(SHAPE, np.uint8)
    for k, value in enumerate(values, start=2):
        labels[2:4, 3:5, k] = value
    return labels


def scan(path: Path, seed: int = 0) -> Path:
    """Writes an image."""
    write_nifti(path, intensities(seed), AFFINE)
    return path


def mask(path: Path, *values: int) -> Path:
    """Writes a mask."""
    write_nifti(path, numbers(*values), AFFINE)
    return path


def brats(root: Path, name: str, *values: int, sequences: Sequence[str] = ("t1", "flair")) -> Path:
    """One case in the style of BraTS until 2021, or from 2023 if its name has hyphens."""
    mark = "-" if "-" in name else "_"
    for seed, sequence in enumerate(sequences):
        scan(root / name / f"{name}{mark}{sequence}.nii.gz", seed)
    if values:
        mask(root / name / f"{name}{mark}seg.nii.gz", *values)
    return root / name


def kaggle(
    root: Path, name: str = "TCGA_CS_4941_19960909", slices: int = 11, copies: Sequence[int] = ()
) -> Path:
    """One patient of kaggle_3m; slice n is about 10 * n bright; ``copies`` are FLAIR channels."""
    for n in range(1, slices + 1):
        picture = np.random.default_rng(n).integers(0, 9, (7, 5, 3)).astype(np.uint8) + 10 * n
        picture[0, 0] = (1, 2, 3)
        for channel in copies:
            picture[..., channel] = picture[..., 1]
        tumour = np.zeros((7, 5), np.uint8)
        tumour[2, 3] = 255 * (n == 10)
        write_picture(root / name / f"{name}_{n}.tif", picture.astype(np.uint8))
        write_picture(root / name / f"{name}_{n}_mask.tif", tumour)
    return root / name


def labels_of(case: Case) -> LabelArray:
    """The labels of a case that has some."""
    ((resolved,), _) = resolve_cases((case,))
    labels = load_case(resolved)[1]
    if labels is None:
        raise AssertionError(f"{case.id} has no mask")
    return labels
