"""Bounding boxes of masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Box = tuple[slice, ...]


def bounding_box(mask: npt.NDArray[np.bool_], margin: int = 0) -> Box:
    """Bounding box of a mask, widened by ``margin`` within the array; empty for an empty mask.

    Args:
        mask: any number of dimensions.
        margin: voxels to add on every side, within the array.
    """
    return tuple(_span(mask, axis, margin) for axis in range(mask.ndim))


def joint(boxes: Sequence[Box]) -> Box:
    """Smallest box that contains all boxes."""
    return tuple(
        slice(min(side.start for side in sides), max(side.stop for side in sides))
        for sides in zip(*boxes, strict=True)
    )


def _span(mask: npt.NDArray[np.bool_], axis: int, margin: int) -> slice:
    others = tuple(other for other in range(mask.ndim) if other != axis)
    indices = np.flatnonzero(mask.any(axis=others))
    if not indices.size:
        return slice(0, 0)
    return slice(
        max(0, int(indices[0]) - margin), min(mask.shape[axis], int(indices[-1]) + 1 + margin)
    )
