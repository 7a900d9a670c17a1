"""Matching of lesions over time points by overlap.

This requires registered scans, which can't be determined from their headers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import Affine
from gliomask.lesions.lesions import Lesions

Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Track:
    """One lesion through time.

    Attributes:
        number: 1 is the one with the largest volume at any time point.
        parts: for each time point the numbers of the lesions that it is there: none where it is
            not there, several where it is in pieces that are one at another time.
    """

    number: int
    parts: tuple[tuple[int, ...], ...]


def on_grid(labels: Numbers, affine: Affine, shape: tuple[int, int, int], onto: Affine) -> Numbers:
    """Labels (I, J, K) on another grid by nearest neighbour; 0 beyond their own.

    Args:
        labels: numbers of lesions.
        affine: theirs, voxel index to RAS+ mm.
        shape: of the other grid.
        onto: its affine.
    """
    from scipy.ndimage import affine_transform

    back = np.linalg.inv(affine) @ onto
    if labels.shape == shape and np.allclose(back, np.eye(4), atol=1e-4):
        return labels
    # grid-constant: a voxel extends by half of its size beyond its centre, at the border too.
    moved: Numbers = affine_transform(
        labels, back, output_shape=shape, order=0, mode="grid-constant"
    )
    return moved


def match_lesions(
    lesions_over_time: Sequence[Lesions], labels: Sequence[Numbers]
) -> tuple[Track, ...]:
    """Joins the lesions that overlap at any two time points, the largest first.

    A lesion that splits stays one track, and so do lesions that merge: all that hangs together
    through time is one. Tiny components are left out.

    Args:
        lesions_over_time: the lesions of each time point.
        labels: their numbers, all on one grid (I, J, K).
    """
    nodes = [
        (t, lesion.number)
        for t, lesions in enumerate(lesions_over_time)
        for lesion in lesions.found
    ]
    group = {node: {node} for node in nodes}
    for (t, lesions), (u, other) in combinations(enumerate(labels), 2):
        for pair in _overlaps(lesions, other):
            _join(group, (t, pair[0]), (u, pair[1]))
    tracks = {id(track): track for track in group.values()}.values()
    parts = [
        tuple(tuple(sorted(n for at, n in track if at == t)) for t in range(len(lesions_over_time)))
        for track in tracks
    ]
    parts.sort(key=lambda part: -_largest(lesions_over_time, part))
    return tuple(Track(number, part) for number, part in enumerate(parts, 1))


def _overlaps(earlier: Numbers, other: Numbers) -> list[tuple[int, int]]:
    both = (earlier > 0) & (other > 0)
    pairs = np.unique(np.stack([earlier[both], other[both]]), axis=1)
    return [(int(first), int(second)) for first, second in pairs.T]


def _join(
    group: dict[tuple[int, int], set[tuple[int, int]]],
    lesion: tuple[int, int],
    other: tuple[int, int],
) -> None:
    if lesion in group and other in group and group[lesion] is not group[other]:
        group[lesion] |= group[other]
        for node in group[other]:
            group[node] = group[lesion]


def _largest(lesions_over_time: Sequence[Lesions], parts: Sequence[Sequence[int]]) -> float:
    """The largest volume of a track at any time point, in ml."""
    return max(
        sum(lesion.volume_ml for lesion in lesions.found if lesion.number in numbers)
        for lesions, numbers in zip(lesions_over_time, parts, strict=True)
    )
