"""Small masks with known figures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


def block(shape: tuple[int, int, int], *sides: tuple[int, int]) -> Mask:
    """A box of voxels from first to stop along each axis."""
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*side) for side in sides)] = True
    return mask


def ellipse(axes_mm: tuple[float, float], angle: float, pixel_mm: tuple[float, float]) -> Mask:
    """One slice (I, J, 1): pixels whose centre lies in an ellipse of these half axes."""
    half = [int(max(axes_mm) / side) + 3 for side in pixel_mm]
    i, j = np.meshgrid(*(np.arange(-n, n + 1) for n in half), indexing="ij")
    x, y = i * pixel_mm[0] - 0.2, j * pixel_mm[1] + 0.3
    along, across = (
        x * np.cos(angle) + y * np.sin(angle),
        y * np.cos(angle) - x * np.sin(angle),
    )
    inside: Mask = (along / axes_mm[0]) ** 2 + (across / axes_mm[1]) ** 2 <= 1
    return inside[:, :, None]


def ball(radius_mm: float, spacing_mm: tuple[float, float, float]) -> Mask:
    """Voxels whose centre lies in a ball."""
    axes = [np.arange(-int(radius_mm / s) - 2, int(radius_mm / s) + 3) * s for s in spacing_mm]
    i, j, k = np.meshgrid(*axes, indexing="ij")
    inside: Mask = i**2 + j**2 + k**2 <= radius_mm**2
    return inside


def affine(*spacing: float) -> npt.NDArray[np.float64]:
    """RAS+ with these voxel sizes and an origin of its own."""
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = (-30.0, 12.5, 7.0)
    return matrix


def oblique(spacing: tuple[float, float, float], degrees: float) -> npt.NDArray[np.float64]:
    """Turned about the left-right and then the front-back axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    about_y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    matrix = np.eye(4)
    matrix[:3, :3] = about_y @ about_x @ np.diag(spacing)
    matrix[:3, 3] = (5.0, -40.0, 21.0)
    return matrix
