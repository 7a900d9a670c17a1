"""Removal of fragments by their share of the largest component, the rule of the first models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from gliomask.core.labels import LabelArray
from gliomask.inference.clean_up import find_fragments, without

SHARES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Thresholds: size of a fragment relative to the largest component."""


def without_small_parts(labels: LabelArray, shares: Sequence[float]) -> Iterator[LabelArray]:
    """For each share, the mask without components smaller than that share of the largest one."""
    fragments = find_fragments(labels, np.zeros(labels.shape, np.float32))
    for share in shares:
        if fragments is None:
            yield labels
        else:
            small = fragments.voxels < share * fragments.voxels.max()
            yield without(labels, fragments, small)
