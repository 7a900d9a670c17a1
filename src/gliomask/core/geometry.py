"""Geometry of voxel grids: orientation, spacing, the reading frame.

The reading frame is the orientation in which radiologists view axial slices, and the network's
input: slices run from feet to head, rows from front to back, columns from the patient's right to
the left (axes S, P, L). Volumes are converted to it by permuting and flipping axes, which is
exactly reversible.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import Affine

Element = TypeVar("Element", bound=np.generic)

_READING_FRAME = ((2, +1), (1, -1), (0, -1))
"""(world axis of RAS+, direction) of slices, rows and columns: S, P, L."""

Plane = Literal["axial", "coronal", "sagittal"]
"""Plane of slices."""
_TURNS: Final = {
    "axial": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "coronal": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
}
"""Rotations of the world: coronal slices run front to back, sagittal ones left to right, both with
the top of the head above."""

GRID_TOLERANCE = 0.05
"""Maximum distance between the corners of two equal grids, as a fraction of the smallest voxel
side. Rounding in headers moves corners by less than a hundredth; real shifts are whole voxels."""

_ROUNDING = 1e-6
"""Relative tolerance of volumes."""

PICTURE_AFFINE: Affine = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Affine of pictures stacked as (column, row, slice): 1 mm voxels with the axes L, P, S."""


@dataclass(frozen=True)
class Orientation:
    """Permutation and flips from (I, J, K) to the reading frame (S, H, W).

    Attributes:
        axes: for each axis of the reading frame, the corresponding voxel axis.
        flips: for each axis of the reading frame, whether its direction is opposite to the voxel
            axis.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]


def spacing_mm(affine: Affine) -> tuple[float, float, float]:
    """Voxel size along (i, j, k) in millimetres: the lengths of the affine's columns."""
    i, j, k = np.linalg.norm(affine[:3, :3], axis=0)
    return float(i), float(j), float(k)


def voxel_ml(affine: Affine) -> float:
    """Volume of a voxel in millilitres (the determinant of the affine, also for sheared voxels)."""
    return float(abs(np.linalg.det(affine[:3, :3]))) / 1000.0


def is_larger(volume: npt.ArrayLike, limit: float) -> npt.NDArray[np.bool_]:
    """Return where volumes are larger than a limit, within the single precision of headers.

    So 50 voxels of 1 mm³ are not larger than 50 mm³, whatever the last digits of their affine.

    Args:
        volume: (...) volumes, 0 or more.
        limit: in the same unit.
    """
    larger: npt.NDArray[np.bool_] = np.asarray(volume) > limit * (1 + _ROUNDING)
    return larger


def corner_distance(first: Affine, other: Affine, shape: tuple[int, ...]) -> float:
    """Largest distance in mm between corresponding corners of a volume under two affines."""
    corners = np.array([(*c, 1) for c in itertools.product(*((0, n - 1) for n in shape))])
    return float(np.linalg.norm((corners @ (first - other).T)[:, :3], axis=1).max())


def same_place(first: Affine, other: Affine, shape: tuple[int, ...]) -> bool:
    """Return True if two affines agree within ``GRID_TOLERANCE`` of a voxel side."""
    apart = corner_distance(first, other, shape)
    return apart <= GRID_TOLERANCE * min(spacing_mm(other))


def orientation(affine: Affine) -> Orientation:
    """Permutation and flips that are closest to ``affine``.

    The rotation nearest to the affine (polar decomposition, so that anisotropic voxels of oblique
    volumes do not affect the choice) is matched with the axes of the patient, best fit first.

    Raises:
        ValueError: the affine is singular or not finite.
    """
    matrix = affine[:3, :3]
    lengths = np.linalg.norm(matrix, axis=0)
    if not np.isfinite(affine).all() or (lengths == 0).any():
        raise ValueError("the affine is singular or not finite")
    left, sizes, right = np.linalg.svd(matrix / lengths)
    if sizes[-1] < 1e-6:
        raise ValueError("the affine is singular or not finite")
    rotation = left @ right  # rows: world axes R, A, S; columns: voxel axes
    voxel_of_world = _match(np.abs(rotation))
    axes = [voxel_of_world[world] for world, _ in _READING_FRAME]
    flips = [bool(rotation[w, voxel_of_world[w]] * sign < 0) for w, sign in _READING_FRAME]
    return Orientation((axes[0], axes[1], axes[2]), (flips[0], flips[1], flips[2]))


def turned_world(affine: Affine, plane: Plane) -> Affine:
    """Rotate the world so that the slices of ``plane`` become the axial ones."""
    rotation = np.eye(4)
    rotation[:3, :3] = _TURNS[plane]
    return rotation @ affine


def to_reading(array: npt.NDArray[Element], turn: Orientation) -> npt.NDArray[Element]:
    """(..., I, J, K) as a view (..., S, H, W)."""
    lead = array.ndim - 3
    moved = array.transpose(*range(lead), *(lead + axis for axis in turn.axes))
    return moved[_reversal(turn, lead)]


def from_reading(array: npt.NDArray[Element], turn: Orientation) -> npt.NDArray[Element]:
    """(..., S, H, W) as a view (..., I, J, K): the exact inverse of ``to_reading``."""
    lead = array.ndim - 3
    inverse = np.argsort(turn.axes)
    return array[_reversal(turn, lead)].transpose(*range(lead), *(lead + axis for axis in inverse))


def reading_to_voxel(turn: Orientation, shape: tuple[int, ...]) -> Affine:
    """The matrix (4, 4) from indices (s, h, w, 1) to indices (i, j, k, 1) of a volume.

    Args:
        turn: conversion of the volume to the reading frame.
        shape: its (I, J, K).
    """
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1.0
    for axis, (voxel, flip) in enumerate(zip(turn.axes, turn.flips, strict=True)):
        matrix[voxel, axis] = -1.0 if flip else 1.0
        matrix[voxel, 3] = shape[voxel] - 1 if flip else 0
    return matrix


def turned_like(
    array: npt.NDArray[Element], affine: Affine, like: Affine
) -> tuple[npt.NDArray[Element], Affine]:
    """Permute and flip the axes of a volume to those of another; voxels keep their position in
    space.

    Args:
        array: (..., I, J, K).
        affine: of the volume.
        like: of the other one.

    Returns:
        a view of the array, and its affine.

    Raises:
        ValueError: an affine is singular or not finite.
    """
    own, other = orientation(affine), orientation(like)
    if own == other:
        return array, affine
    turned = from_reading(to_reading(array, own), other)
    target = reading_to_voxel(own, array.shape[-3:])
    back = reading_to_voxel(other, turned.shape[-3:])
    return turned, affine @ target @ np.linalg.inv(back)


def axis_codes(affine: Affine) -> str:
    """Directions of i, j, k, e.g. ``RAS`` or ``LPS``."""
    turn = orientation(affine)
    codes = [""] * 3
    for pair, axis, flip in zip(("SI", "PA", "LR"), turn.axes, turn.flips, strict=True):
        codes[axis] = pair[flip]
    return "".join(codes)


def _match(strength: npt.NDArray[np.float64]) -> dict[int, int]:
    """World axis -> voxel axis, strongest pair first."""
    left, pairs = strength.copy(), {}
    for _ in range(3):
        world, voxel = np.unravel_index(int(np.argmax(left)), left.shape)
        pairs[int(world)] = int(voxel)
        left[world, :] = left[:, voxel] = -1.0
    return pairs


def _reversal(turn: Orientation, lead: int) -> tuple[slice, ...]:
    return (slice(None),) * lead + tuple(slice(None, None, -1 if f else 1) for f in turn.flips)
