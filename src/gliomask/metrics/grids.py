"""Comparison of voxel grids that may differ in the order and direction of their axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import orientation, reading_to_voxel, same_place, spacing_mm, to_reading
from gliomask.core.volume import Affine

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class MaskGrid:
    """Grid of a mask as axial slices.

    Attributes:
        shape: (S, H, W).
        affine: (4, 4), index (s, h, w) to RAS+ mm.
    """

    shape: tuple[int, int, int]
    affine: Affine


def on_reading_frame(
    array: npt.NDArray[Number], affine: Affine
) -> tuple[npt.NDArray[Number], MaskGrid]:
    """Convert a mask (I, J, K) to a view (S, H, W) in the reading frame; return its grid, too.

    Raises:
        ValueError: the affine is singular or not finite.
    """
    turn = orientation(affine)
    turned = to_reading(array, turn)
    slices, height, width = turned.shape
    return turned, MaskGrid((slices, height, width), affine @ reading_to_voxel(turn, array.shape))


def same_grid(first: MaskGrid, other: MaskGrid) -> bool:
    """Return True if the voxels of two grids have the same positions."""
    return first.shape == other.shape and same_place(other.affine, first.affine, first.shape)


def described(grid: MaskGrid) -> str:
    """Short description of a grid: size, voxel size and position of the first voxel."""
    size = " x ".join(map(str, grid.shape))
    voxel = " x ".join(f"{mm:.3g}" for mm in spacing_mm(grid.affine))
    origin = ", ".join(f"{mm:.4g}" for mm in grid.affine[:3, 3])
    return f"{size} of {voxel} mm from ({origin})"
