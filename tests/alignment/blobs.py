"""A head of smooth blobs, told by a formula, so that it can be seen from anywhere exactly."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import Affine, FloatArray
from tests.alignment.grids import Shape, world

RADII = (70.0, 85.0, 65.0)
"""mm of the head, an ellipsoid about the origin."""
_RNG = np.random.default_rng(11)
_CENTRES = _RNG.uniform(-55, 55, (40, 3))
_WIDTHS = _RNG.uniform(6, 16, 40)
_PARTS = _RNG.uniform(-1, 1, 40)


def tissue(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What lies at points (3, ...): about 0 to 1 in the head, NaN outside."""
    radii = np.reshape(RADII, (3, *(1,) * (points.ndim - 1)))
    found = np.full(points.shape[1:], 0.5)
    for centre, width, part in zip(_CENTRES, _WIDTHS, _PARTS, strict=True):
        away = points - centre.reshape(radii.shape)
        found += part * np.exp(-(away**2).sum(axis=0) / (2 * width**2))
    found[((points / radii) ** 2).sum(axis=0) > 1] = np.nan
    return found


def scan(shape: Shape, affine: Affine, contrast: str, seed: int = 0) -> FloatArray:
    """The head as a sequence shows it on a grid: ``flair``, or ``t1`` that is quite unlike it."""
    found = tissue(world(shape, affine))
    if contrast == "flair":
        signal = 100 + 80 * found
    else:
        signal = 400 - 150 * found + 120 * np.cos(3 * found)
    noise = np.random.default_rng(seed).normal(0, 3, (2, *shape))
    image: FloatArray = np.hypot(np.nan_to_num(signal) + noise[0], noise[1]).astype(np.float32)
    return image


def apart(one: Affine, other: Affine) -> float:
    """The largest distance in mm between where two transforms put the corners of the head."""
    corners = np.array([(*c, 1) for c in itertools.product(*((-r, r) for r in RADII))])
    return float(np.linalg.norm((corners @ (one - other).T)[:, :3], axis=1).max())
