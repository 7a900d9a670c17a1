"""Parts of a mask that stand apart: small ones beside a large one are mostly mistakes.

How small is told as a share of the largest part, so that it means the same in a large tumour and a
small one, in any voxel size and where millimetres are not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import ndimage

from gliomask.core.labels import LabelArray

_TOUCHING = np.ones((3, 3, 3), np.uint8)
"""Voxels that share a corner are of one part."""


def drop_small_parts(labels: LabelArray, share: float) -> LabelArray:
    """A mask without the parts that are smaller than this share of its largest one.

    What is connected counts as one part whatever its labels are. The largest part always stays, so
    a mask with tumour never becomes empty.

    Args:
        labels: (I, J, K), 0 where there is nothing; it is not changed.
        share: in [0, 1]; 0 drops nothing, 1 keeps the largest part (several, if equal).
    """
    return labels if share <= 0 else next(without_small_parts(labels, (share,)))


def without_small_parts(labels: LabelArray, shares: Sequence[float]) -> Iterator[LabelArray]:
    """The same for several shares, whose parts are looked for once."""
    marked = labels > 0
    (box,) = ndimage.find_objects(marked.view(np.uint8)) or (None,)
    if box is None:
        yield from [labels] * len(shares)
        return
    numbered, _ = ndimage.label(marked[box], _TOUCHING)
    sizes = np.bincount(numbered.ravel())[1:]
    for share in shares:
        stays = np.concatenate([[True], sizes >= share * sizes.max()])
        kept = labels.copy()
        kept[box][~stays[numbered]] = 0
        yield kept
