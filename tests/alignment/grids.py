"""Grids that lie askew, and images on them whose values are known everywhere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import Affine, FloatArray

Shape = tuple[int, int, int]


def turned(degrees: float, axis: tuple[float, float, float] = (1, 2, 3)) -> Affine:
    """A rotation about an axis through the origin (Rodrigues' formula)."""
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(degrees)
    full = np.eye(4)
    full[:3, :3] += np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return full


def centred(shape: Shape, mm: tuple[float, float, float]) -> Affine:
    """A grid along R, A, S whose middle is the origin."""
    affine = np.diag([*mm, 1.0])
    affine[:3, 3] = [-side * (n - 1) / 2 for n, side in zip(shape, mm, strict=True)]
    return affine


def moved(x: float, y: float, z: float) -> Affine:
    """A shift in mm."""
    full = np.eye(4)
    full[:3, 3] = x, y, z
    return full


def world(shape: Shape, affine: Affine) -> npt.NDArray[np.float64]:
    """(3, I, J, K) mm of every voxel."""
    index = np.indices(shape).reshape(3, -1)
    points: npt.NDArray[np.float64] = affine[:3, :3] @ index + affine[:3, 3:]
    return points.reshape(3, *shape)


def ramp(shape: Shape, affine: Affine) -> FloatArray:
    """An image that rises steadily through the world: linear interpolation is exact on it."""
    x, y, z = world(shape, affine)
    values: FloatArray = (0.5 * x - 0.25 * y + 2 * z + 100).astype(np.float32)
    return values
