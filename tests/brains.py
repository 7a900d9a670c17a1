"""A drawn brain without skull, with a bright tumour off its centre, in small voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gliomask.core.labels import LabelArray
from gliomask.core.volume import FloatArray
from gliomask.formats.nifti import write_nifti

SIDES = (60, 72, 84)
"""Voxels along I, J, K."""
_BOX = (slice(30, 42), slice(40, 52), slice(46, 64))


def brain() -> FloatArray:
    """(2, I, J, K): an ellipsoid with a dark rim in air; the tumour is bright in the second."""
    places = [np.linspace(-1, 1, side) for side in SIDES]
    radius = np.sqrt(sum(axis**2 for axis in np.meshgrid(*places, indexing="ij")))
    image = np.where(radius < 0.9, np.where(radius < 0.82, 110.0, 60.0), 0.0)
    image[radius < 0.9] += np.random.default_rng(0).normal(0, 8, int((radius < 0.9).sum()))
    both = np.stack([image, image]).astype(np.float32)
    both[1, *_BOX] += 120
    return both


def tumour() -> LabelArray:
    """(I, J, K) of ones."""
    mask = np.zeros(SIDES, np.uint8)
    mask[_BOX] = 1
    return mask


def write_brain(folder: Path, case: str, voxel_mm: float = 1.0) -> None:
    """The brain in the layout of BraTS until 2021."""
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    for name, image in zip(("t1", "flair"), brain(), strict=True):
        write_nifti(folder / case / f"{case}_{name}.nii.gz", image, affine)
    write_nifti(folder / case / f"{case}_seg.nii.gz", tumour(), affine)
