"""What is measured of a model on its validation patients, for its card.

One thorough look at each case gives the temperature, the volumes and the disagreement together, and
what becomes of its mask when small parts are dropped; one plain look at some of its slices gives
the Dice of each subset of sequences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import to_reading
from gliomask.core.labels import labels_of_regions, region_masks
from gliomask.core.slices import SliceStack, crop_to_slices, place
from gliomask.evaluation.logit_counts import LogitCounts
from gliomask.evaluation.overlap import Overlap, overlap
from gliomask.inference.parts import without_small_parts
from gliomask.inference.passes import disagreement
from gliomask.inference.predictor import Predictor
from gliomask.nets.cards import ModelCard
from gliomask.workflows.subjects import Examination
from gliomask.workflows.voxels import count_voxels

MOST_SLICES: Final = 32
"""Of a case, evenly spaced, that each subset of sequences is tried on."""
_ALL_SUBSETS: Final = 4
"""Up to so many sequences every subset is tried; of more only those lacking one or holding one."""

SHARES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Of the largest part of a mask, below which others may be dropped. Never all but the largest:
where that is none of the tumour, nothing right would stay."""
_TIE: Final = 1e-9

Sequences = tuple[str, ...]
Dice = dict[str, float]


@dataclass(frozen=True, eq=False)
class Volumes:
    """One region of a case in voxels.

    Attributes:
        plain: of the plain mask, without the parts that each of ``SHARES`` drops.
        others: (M,) of the masks of the other maps.
        true: of the reference.
        disagreement: between the plain mask and the others.
    """

    plain: tuple[int, ...]
    others: npt.NDArray[np.int64]
    true: int
    disagreement: float


@dataclass(frozen=True, eq=False)
class MeasuredCase:
    """One validation case.

    Attributes:
        patient: whose it is.
        counts: region -> its voxels by what the network says of them, at temperature 1.
        volumes: region -> its volumes; empty if only some slices were annotated, or if the case
            lacks a sequence: such cases are not like those that have them all.
        dice: of the first region, without the parts that each of ``SHARES`` drops; None where
            there is neither tumour nor a mask. Empty like ``volumes``.
        ways: names of the other maps.
        subsets: sequences given -> region -> Dice; empty if the case lacks a sequence.
    """

    patient: str
    counts: dict[str, LogitCounts]
    volumes: dict[str, Volumes]
    dice: tuple[float | None, ...]
    ways: tuple[str, ...]
    subsets: dict[Sequences, Dice]


def subsets_of(card: ModelCard) -> tuple[Sequences, ...]:
    """The proper subsets of its sequences that a model is to be tried with, the largest first."""
    if card.input_mode != "stacked" or not card.sequence_dropout:
        return ()
    names = card.sequences
    count = len(names)
    every = range(count - 1, 0, -1)
    sizes = every if count <= _ALL_SUBSETS else (count - 1, 1)
    return tuple(subset for size in sizes for subset in combinations(names, size))


def measure(
    predictor: Predictor, patient: str, examination: Examination, advance: Callable[[], None]
) -> MeasuredCase:
    """Looks at one case; ``advance`` is called after each look.

    Args:
        predictor: of the model at temperature 1.
        patient: whose case it is.
        examination: the case.
        advance: as often as there are subsets, and once more.
    """
    stack, regions = examination.stack, predictor.card.regions
    complete = not predictor.channels(stack.sequences).missing
    opinions = predictor.opinions(stack)
    advance()
    said = place(opinions.probabilities, stack.record).astype(np.float32, copy=False)
    drawn = region_masks(examination.reference, regions)
    kept = _without_parts(said >= predictor.card.threshold, regions)
    volumes = {
        region: Volumes(
            plain=tuple(int(masks[k].sum()) for masks in kept),
            others=opinions.voxels[:, k],
            true=int(drawn[k].sum()),
            disagreement=disagreement(opinions, k),
        )
        for k, region in enumerate(regions)
    }
    usual = complete and examination.annotated is None
    return MeasuredCase(
        patient=patient,
        counts=count_voxels(said, regions, examination),
        volumes=volumes if usual else {},
        dice=tuple(overlap(drawn[0], masks[0]).dice for masks in kept) if usual else (),
        ways=opinions.names,
        subsets=_subsets(predictor, examination, opinions.probabilities, advance),
    )


def _without_parts(
    marked: npt.NDArray[np.bool_], regions: tuple[str, ...]
) -> list[npt.NDArray[np.bool_]]:
    """(R, I, J, K) for each of ``SHARES``."""
    labels = labels_of_regions(marked, regions)
    return [region_masks(kept, regions) for kept in without_small_parts(labels, SHARES)]


def choose_smallest_part(cases: Sequence[MeasuredCase]) -> float:
    """The one of ``SHARES`` with the highest mean Dice over the patients, the smallest of equals:
    what stands apart may be a second tumour. 0 of no patients."""
    first = {case.patient: case.dice for case in reversed(cases) if case.dice}
    rows = [[dice for dice in row if dice is not None] for row in first.values()]
    held = np.array([row for row in rows if row], np.float64)
    if not held.size:
        return 0.0
    means = held.mean(axis=0)
    return SHARES[int(np.flatnonzero(means >= means.max() - _TIE)[0])]


def _subsets(
    predictor: Predictor,
    examination: Examination,
    plain: npt.NDArray[np.float32],
    advance: Callable[[], None],
) -> dict[Sequences, Dice]:
    """The Dice with all sequences, known from the plain pass, and with each subset of them."""
    card, stack = predictor.card, examination.stack
    tried = subsets_of(card)
    complete = not predictor.channels(stack.sequences).missing
    picked = _picked(examination)
    found = {card.sequences: _dice(predictor, plain[:, picked], examination, picked)}
    for subset in tried:
        if complete:
            maps = predictor.maps(_select(stack, subset, picked))
            found[subset] = _dice(predictor, maps, examination, picked)
        advance()
    return found if tried and complete else {}


def _picked(examination: Examination) -> npt.NDArray[np.intp]:
    """At most ``MOST_SLICES`` annotated slices, evenly spaced."""
    count = len(examination.stack.array)
    known = examination.annotated
    held = np.arange(count) if known is None else np.flatnonzero(known)
    return held[np.linspace(0, len(held) - 1, min(len(held), MOST_SLICES)).round().astype(np.intp)]


def _select(stack: SliceStack, subset: Sequences, picked: npt.NDArray[np.intp]) -> SliceStack:
    index = [stack.sequences.index(name) for name in subset]
    return replace(stack, array=stack.array[picked][:, index], sequences=subset)


def _dice(
    predictor: Predictor,
    maps: npt.NDArray[np.float32],
    examination: Examination,
    picked: npt.NDArray[np.intp],
) -> Dice:
    """Region -> Dice of some slices together; a region that neither mask has is left out."""
    record, regions = examination.stack.record, predictor.card.regions
    labels = examination.reference
    inside = region_masks(crop_to_slices(labels, record)[picked], regions)
    whole = region_masks(to_reading(labels, record.turn)[picked], regions)
    found = {}
    for region, mask, near, drawn in zip(
        regions, predictor.masks(maps), inside, whole, strict=True
    ):
        counts = Overlap(int(drawn.sum()), int(mask.sum()), int((near & mask).sum()))
        if counts.reference or counts.predicted:
            found[region] = 2.0 * counts.both / (counts.reference + counts.predicted)
    return found


def means(rows: Sequence[Dice]) -> Dice:
    """Region -> mean Dice over the rows that have one, to 6 digits."""
    held: dict[str, list[float]] = {}
    for row in rows:
        for region, dice in row.items():
            held.setdefault(region, []).append(dice)
    return {region: round(float(np.mean(values)), 6) for region, values in held.items()}
