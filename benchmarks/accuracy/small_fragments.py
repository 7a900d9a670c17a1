"""Clean-up by share of the largest part, the rule of the first models, for the tables of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from gliomask.core.labels import LabelArray
from gliomask.inference.clean_up import find_fragments, without

SHARES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Of the largest part of a mask, below which others may be dropped."""


def without_small_parts(labels: LabelArray, shares: Sequence[float]) -> Iterator[LabelArray]:
    """A mask without the parts that are smaller than each share of its largest one."""
    fragments = find_fragments(labels, np.zeros(labels.shape, np.float32))
    for share in shares:
        if fragments is None:
            yield labels
        else:
            small = fragments.voxels < share * fragments.voxels.max()
            yield without(labels, fragments, small)
