"""Relevant header fields of a volume file in any format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gliomask.core.geometry import orientation
from gliomask.core.volume import Affine
from gliomask.errors import FormatError


@dataclass(frozen=True, eq=False)
class VolumeHeader:
    """The grid of a file.

    Attributes:
        shape: (I, J, K).
        affine: (4, 4) float64, voxel index to RAS+ millimetres.
        volumes: number of volumes of ``shape`` in the file; 1 for a 3-D file.
    """

    shape: tuple[int, int, int]
    affine: Affine
    volumes: int

    def check_single(self, path: Path) -> None:
        """Check that the file contains a single volume, as required for a mask.

        Raises:
            FormatError: it contains several.
        """
        if self.volumes > 1:
            raise FormatError(f"4-D: {self.volumes} volumes instead of one mask", path=path)


def usable_affine(matrix: Any, field: str, path: Path | None = None) -> Affine:
    """An affine as float64.

    Raises:
        FormatError: it isn't finite, or is singular.
    """
    affine = np.asarray(matrix, np.float64)
    try:
        orientation(affine)
    except ValueError:
        text, allowed = affine_text(affine), "a finite matrix of full rank"
        raise FormatError(
            "unusable affine", path=path, field=field, found=text, allowed=allowed
        ) from None
    return affine


def affine_text(affine: Affine) -> str:
    """An affine for a person, in one line."""
    return "; ".join(" ".join(f"{n:.4g}" for n in row) for row in affine[:3])
