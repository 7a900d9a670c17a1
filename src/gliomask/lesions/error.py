"""Errors of measurements of a mask.

Every value has a lower and an upper bound and the method of the error:

* the interval that the prediction itself states, where it states one;
* two other thresholds of the probability map, where there is one: the odds of the threshold
  divided by three and times three (0.25 and 0.75 around 0.5);
* else the boundary moved inwards and outwards by half a voxel, which is what the grid leaves open
  when nothing is known of the mask's maker: the true boundary may be anywhere between the centres
  of the last voxel inside and the first outside.

The last two cover the discretisation or the threshold, but not false-negative or false-positive
tumour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import voxel_ml
from gliomask.core.volume import Affine
from gliomask.lesions.diameters import Diameters, Segment
from gliomask.lesions.lesions import Mask

HALF_VOXEL = "boundary moved by half a voxel"
THRESHOLDS = "odds of the threshold times and divided by 3"
STATED = "90 % interval stated by the prediction"
_ODDS = 3.0


@dataclass(frozen=True)
class Measured:
    """A value and its error.

    Attributes:
        value: as measured.
        low, high: the ends of the error; ``low <= value <= high``.
        method: method that determined them.
    """

    value: float
    low: float
    high: float
    method: str

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"{self.value} is not between {self.low} and {self.high}")


@dataclass(frozen=True)
class MeasuredDiameters:
    """Both diameters in mm and their product in mm², each with its error."""

    long: Measured
    short: Measured
    product: Measured


def mask_volume(mask: Mask, affine: Affine) -> Measured:
    """The volume of a mask (I, J, K) in ml, its boundary moved by half a voxel each way.

    Distances to the boundary are taken in voxels, so that along each axis half of that axis' own
    voxel is meant. A voxel that the moved boundary runs through counts in part. An empty mask has
    the volume 0 without an error: there is no boundary.
    """
    each = voxel_ml(affine)
    count = int(np.count_nonzero(mask))
    if not count:
        return Measured(0.0, 0.0, 0.0, HALF_VOXEL)
    lost, gained = _moved_volume(mask)
    return Measured(count * each, (count - lost) * each, (count + gained) * each, HALF_VOXEL)


def probability_volume(
    probability: npt.NDArray[np.floating], threshold: float, affine: Affine
) -> Measured:
    """The volume in ml of all that reaches a threshold, and at the two thresholds around it.

    Args:
        probability: (I, J, K) in [0, 1].
        threshold: between 0 and 1.
        affine: (4, 4), voxel index to RAS+ mm.
    """
    each = voxel_ml(affine)
    odds = threshold / (1 - threshold)
    limits = [o / (1 + o) for o in (odds * _ODDS, odds, odds / _ODDS)]
    low, value, high = (float(np.count_nonzero(probability >= limit)) * each for limit in limits)
    return Measured(value, low, high, THRESHOLDS)


def stated_volume(value: float, interval: tuple[float, float]) -> Measured:
    """A volume with the interval that the prediction states, widened to contain the volume."""
    low, high = interval
    return Measured(value, min(low, value), max(high, value), STATED)


def measured_diameters(diameters: Diameters) -> MeasuredDiameters:
    """The diameters of a lesion, each end moved by half a voxel along the line.

    So a diameter is off by up to the width of one voxel in its direction: by more along the
    longer side of anisotropic pixels.
    """
    long, short = _moved(diameters.long), _moved(diameters.short)
    product = Measured(
        diameters.product_mm2, long.low * short.low, long.high * short.high, HALF_VOXEL
    )
    return MeasuredDiameters(long, short, product)


def total(parts: list[Measured]) -> Measured:
    """The sum; the errors add up, since one maker's boundaries are off in the same way."""
    sums = [sum(getattr(part, name) for part in parts) for name in ("value", "low", "high")]
    methods = sorted({part.method for part in parts}) or [HALF_VOXEL]
    return Measured(float(sums[0]), float(sums[1]), float(sums[2]), ", ".join(methods))


def _moved(segment: Segment) -> Measured:
    pixels = float(np.linalg.norm(np.subtract(*segment.voxels)))
    pixel_mm = segment.length_mm / pixels
    length = segment.length_mm
    return Measured(length, max(0.0, length - pixel_mm), length + pixel_mm, HALF_VOXEL)


def _moved_volume(mask: Mask) -> tuple[float, float]:
    """Voxels that a mask loses and gains if its boundary moves by half a voxel.

    The boundary lies half a voxel from the centres next to it, so a voxel whose nearest voxel of
    the other side is d away loses or gains 1.5 - d: half of it at d = 1 (a common face), 0.086 at
    d = √2 (a common edge), nothing further away.
    """
    from scipy.ndimage import find_objects

    inside = np.pad(mask[find_objects(mask.view(np.uint8))[0]], 2)
    outside = ~inside
    return _partial_voxels(inside, outside), _partial_voxels(outside, inside)


def _partial_voxels(own: Mask, other: Mask) -> float:
    face, edge = _neighbours(own, other)
    faces = int(np.count_nonzero(face))
    edges = int(np.count_nonzero(edge & ~face))
    return 0.5 * faces + (1.5 - math.sqrt(2.0)) * edges


def _neighbours(own: Mask, other: Mask) -> tuple[Mask, Mask]:
    """Voxels of one side that share a face with the other side, and those that share an edge."""
    near = [_grown(other, axis) for axis in range(3)]
    face = near[0] | near[1] | near[2]
    edge = _grown(near[0], 1) | _grown(near[0], 2) | _grown(near[1], 2)
    return own & face, own & edge


def _grown(mask: Mask, axis: int) -> Mask:
    """A mask and its two neighbours along an axis."""
    grown = mask.copy()
    target, source = np.moveaxis(grown, axis, 0), np.moveaxis(mask, axis, 0)
    target[1:] |= source[:-1]
    target[:-1] |= source[1:]
    return grown
