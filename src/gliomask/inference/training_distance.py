"""Distance of an examination from the training data of a network.

Normalised intensities have zero mean and unit deviation within every head, so what identifies
a strange contrast is the shape of their distribution: its quantiles. A case's distance is the root
mean square of its quantiles' deviations from training's, in training's standard deviations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from gliomask.core.intensity import evenly_spaced, foreground_level
from gliomask.core.slices import SliceStack
from gliomask.core.volume import FloatArray
from gliomask.nets.measures import Intensities, range_of

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_SAMPLE = 200_000
"""Approximate maximum number of voxels for quantiles, evenly spaced."""
_LEAST_DEVIATION = 0.02
"""Minimum standard deviation of a quantile, so that nearly constant quantiles do not flag every
case."""

Quantiles = npt.NDArray[np.float64]


def head_quantiles(stack: SliceStack) -> dict[str, Quantiles]:
    """Sequence -> (5,) quantiles ``LEVELS`` of its normalised intensities within the head.

    The head is what lies above ``core.intensity.foreground_level`` in the crop; a sequence
    without such voxels is left out.
    """
    quantiles = {}
    for name, image in zip(stack.sequences, stack.array.swapaxes(0, 1), strict=True):
        head = _head(image)
        if head.size:
            quantiles[name] = np.quantile(head.astype(np.float64), LEVELS)
    return quantiles


def _head(image: FloatArray) -> FloatArray:
    level = foreground_level(image)
    sample = evenly_spaced(image, _SAMPLE)
    head: FloatArray = sample[sample > level]
    return head


def describe_intensities(
    cases: Sequence[Mapping[str, Quantiles]], held_out: Sequence[Mapping[str, Quantiles]] = ()
) -> dict[str, Intensities]:
    """Common intensities of training cases; sequences with fewer than two cases are omitted.

    Args:
        cases: of the training.
        held_out: other cases that the model was measured on; their distances count in the range of
            distances, because what the model was measured on is not unknown to it either.
    """
    names = sorted({name for case in cases for name in case})
    of_name = {name: _rows(cases, name) for name in names}
    return {
        name: _describe(np.array(rows), _rows(held_out, name))
        for name, rows in of_name.items()
        if len(rows) > 1
    }


def _rows(cases: Sequence[Mapping[str, Quantiles]], name: str) -> list[Quantiles]:
    return [case[name] for case in cases if name in case]


def _describe(rows: Quantiles, held_out: Sequence[Quantiles]) -> Intensities:
    mean = np.round(rows.mean(axis=0), 6)
    deviation = np.round(np.maximum(rows.std(axis=0, ddof=1), _LEAST_DEVIATION), 6)
    away = [_distance(row, mean, deviation) for row in (*rows, *held_out)]
    return Intensities(
        levels=LEVELS,
        mean=tuple(mean.tolist()),
        deviation=tuple(deviation.tolist()),
        distance=range_of(away),
    )


def distance(quantiles: Quantiles, known: Intensities) -> float:
    """Distance of a case from the training cases; about 1 for one of them."""
    return _distance(quantiles, np.array(known.mean), np.array(known.deviation))


def _distance(row: Quantiles, mean: Quantiles, deviation: Quantiles) -> float:
    return float(np.sqrt(np.mean(((row - mean) / deviation) ** 2)))
