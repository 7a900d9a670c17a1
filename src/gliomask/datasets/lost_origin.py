"""Published masks whose affine has lost its offset.

The image of ``Brats17_TCIA_105_1`` begins at (0, 239, 0) mm, its mask at (0, 0, 0), with the same
shape, axes and voxels. Such a mask is read on the grid of the images. Any other difference is
refused when the case is loaded, because the mask may belong to another image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gliomask.core.case import Case
from gliomask.errors import InputError
from gliomask.formats.headers import image_header

SOURCES = ("brats", "tcga_lgg")
"""Layouts of skull-stripped sets in which all images and masks have the same grid."""
NOTE = "the affine of the mask has lost its origin: the mask is read on the grid of the images"


def with_lost_origins(cases: Sequence[Case]) -> tuple[Case, ...]:
    """Mark the cases whose mask has lost its offset, and add a note."""
    return tuple(
        replace(case, lost_origin=True, notes=(*case.notes, NOTE)) if _is_lost(case) else case
        for case in cases
    )


def _is_lost(case: Case) -> bool:
    """Return True for a lost origin; the loader reports unreadable files."""
    if case.source not in SOURCES or case.label is None:
        return False
    try:
        mask = image_header(case.label)
        image = image_header(next(iter(case.images.values())))
    except InputError:
        return False
    return (
        mask.shape == image.shape
        and np.allclose(mask.affine[:3, :3], image.affine[:3, :3], atol=1e-4)
        and not mask.affine[:3, 3].any()
        and bool(image.affine[:3, 3].any())
    )
