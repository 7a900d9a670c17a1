"""Coverage of the head in one series by the field of view of another."""

from __future__ import annotations

from gliomask.alignment.resampling import voxels_inside
from gliomask.core.intensity import foreground_level
from gliomask.core.volume import Affine, FloatArray

LEAST = 0.7
"""A series that shows less of the head than this is refused."""
NEAR = 0.3
"""A series that shows less than this at the position in its header is elsewhere: it is refused
before anything is laid onto anything."""
FULL = 0.98
"""A series that shows less of the head than this is noted."""


def head_share(
    shape: tuple[int, int, int], affine: Affine, reference: FloatArray, reference_affine: Affine
) -> float:
    """The share of the head in a reference image that lies within another series.

    Args:
        shape: (I, J, K) of the series.
        affine: (4, 4) of the series, voxel index to RAS+ mm.
        reference: (I', J', K'), not constant; its head is what is brighter than air.
        reference_affine: (4, 4) of it.

    Returns:
        0 to 1; 0 where the reference shows no head.
    """
    head = reference > foreground_level(reference)
    if not head.any():
        return 0.0
    inside = voxels_inside(shape, affine, (*reference.shape,), reference_affine)
    return float(inside[head].mean())
