"""Studies to upload: a small synthetic head, and one of the size of a BraTS case."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from gliomask.formats.nifti import write_nifti
from tests.fakes import head_volume, write_head

BRATS_SHAPE = (240, 240, 155)
_NAMES = ("t1n", "t1c", "t2w", "t2f")


def small(folder: Path, case: str = "case1") -> Path:
    """Two sequences of 24 x 20 x 8 voxels; 60 kB."""
    return write_head(folder, case, head_volume())


def large(folder: Path, case: str = "case1") -> Path:
    """Four sequences of 240 x 240 x 155 voxels: an ellipsoid of noise with a bright ball in it."""
    axes = np.ogrid[tuple(slice(-1, 1, size * 1j) for size in BRATS_SHAPE)]
    inside = sum(axis**2 for axis in axes) < 0.6
    ball = sum((axis - 0.3) ** 2 for axis in axes) < 0.02
    random = np.random.default_rng(0)
    for name in _NAMES:
        image = 100 + 20 * random.standard_normal(BRATS_SHAPE, np.float32)
        image += 120 * ball * (name in ("t1c", "t2f"))
        image = np.where(inside, image, 0).astype(np.int16)
        write_nifti(folder / case / f"{case}-{name}.nii.gz", image, np.diag([-1.0, -1, 1, 1]))
    return folder / case


def broken(folder: Path) -> Path:
    """A study with a FLAIR file that is not an image."""
    place = small(folder, "broken")
    (place / "broken-t2f.nii.gz").write_bytes(b"no image at all")
    return place


def study(given: Path | None, folder: Path) -> Path:
    """The images of a given study, without its masks, or a synthetic study of that size."""
    if given is None:
        return large(folder)
    place = folder / given.name
    place.mkdir(parents=True)
    for path in given.iterdir():
        if path.is_file() and "seg" not in path.name:
            shutil.copyfile(path, place / path.name)
    return place
