"""The smallest box around masks, so that no work is done on empty space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Box = tuple[slice, ...]


def bounding_box(mask: npt.NDArray[np.bool_], margin: int = 0) -> Box:
    """The box of all that is set, widened by ``margin`` within the array; empty without any.

    Args:
        mask: any number of dimensions.
        margin: voxels added on every side, as far as the array goes.
    """
    return tuple(_span(mask, axis, margin) for axis in range(mask.ndim))


def joint(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all of at least one box."""
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
