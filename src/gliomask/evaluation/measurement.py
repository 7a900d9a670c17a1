"""Measurements of a model on a held-out case, for the model card.

The case is measured with all its sequences and with every subset of them: volumes, disagreement
between the network's maps, and Dice, for each candidate rule of clean-up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import Final

import numpy as np
import numpy.typing as npt

from gliomask.core.labels import LabelArray
from gliomask.core.regions import labels_of_regions, region_masks
from gliomask.core.slices import SliceStack, uncrop
from gliomask.evaluation.reference_cases import Examination
from gliomask.evaluation.voxel_counts import count_voxels
from gliomask.inference.clean_up import Fragments, find_fragments, removed, removed_much
from gliomask.inference.image_kind import is_skull_stripped
from gliomask.inference.opinions import Opinions, disagreement
from gliomask.inference.predictor import Predictor
from gliomask.inference.training_distance import Quantiles, head_quantiles
from gliomask.jobs.control import SILENT, Control
from gliomask.metrics.overlap_counts import Overlap
from gliomask.nets.cards import ModelCard
from gliomask.nets.measures import CleanUp
from gliomask.statistics.logit_counts import LogitCounts, count_probabilities

MOST_SLICES: Final = 32
"""Number of slices for each proper subset of sequences, evenly spaced."""
_ALL_SUBSETS: Final = 4
"""Maximum number of sequences for all subsets; beyond, only those with one sequence, or without
one."""
RULES: Final = (
    None,
    *(
        CleanUp(below_ml=ml, below_probability=p)
        for ml, p in product((0.05, 0.2, 1.0, 3.0), (0.7, 0.8, 0.9, 1.0))
    ),
)
"""Candidate rules of clean-up, none first. With 1.0 only the size decides."""

_TIE: Final = 1e-9

Sequences = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Volumes:
    """Voxel counts of a region of a case.

    Attributes:
        plain: plain mask after each of ``RULES`` (for a subset: without clean-up only).
        others: (M,) masks of the other maps.
        true: reference.
        disagreement: disagreement between the plain mask and the others.
        dice: Dice after each of ``RULES``; None if both masks are empty.
    """

    plain: tuple[int, ...]
    others: npt.NDArray[np.int64]
    true: int
    disagreement: float
    dice: tuple[float | None, ...]


@dataclass(frozen=True, eq=False)
class SequenceMeasurement:
    """Measurements of a case with some of its sequences.

    Attributes:
        counts: region -> histograms of its logits at temperature 1.
        volumes: region -> its volumes; empty if only some slices were annotated.
        unlabelled: region that the reference does not label, and of which something was found ->
            disagreement between the plain mask and the others.
        removed_much: whether each of ``RULES`` removes much of any region of the model (for a
            subset: without clean-up only).
    """

    counts: dict[str, LogitCounts]
    volumes: dict[str, Volumes]
    unlabelled: Mapping[str, float] = field(default_factory=dict)
    removed_much: tuple[bool, ...] = (False,)


@dataclass(frozen=True, eq=False)
class MeasuredCase:
    """Measurements of a held-out case.

    Attributes:
        patient: its patient.
        skull_stripped: whether it is skull-stripped.
        ways: names of the other maps.
        measurements: sequences used -> their measurements; all sequences first.
        quantiles: sequence -> those of its intensities (``inference.training_distance``).
    """

    patient: str
    skull_stripped: bool
    ways: tuple[str, ...]
    measurements: dict[Sequences, SequenceMeasurement]
    quantiles: Mapping[str, Quantiles] = field(default_factory=dict)

    @property
    def full(self) -> SequenceMeasurement:
        """Measurements with all sequences."""
        return next(iter(self.measurements.values()))


def subsets_of(card: ModelCard, sequences: Sequences | None = None) -> tuple[Sequences, ...]:
    """Proper subsets of the sequences of a case for a model, largest first.

    Args:
        card: card of the model.
        sequences: sequences of the case that the model uses, in its order; default: all.
    """
    if card.input_mode != "stacked" or not card.sequence_dropout:
        return ()
    names = card.sequences if sequences is None else sequences
    count = len(names)
    every = range(count - 1, 0, -1)
    sizes = every if count <= _ALL_SUBSETS else (count - 1, 1)
    return tuple(subset for size in sizes for subset in combinations(names, size))


def measure(
    predictor: Predictor,
    patient: str,
    examination: Examination,
    control: Control = SILENT,
    *,
    missing: bool = True,
) -> MeasuredCase:
    """Measure a case.

    Args:
        predictor: predictor of the model at temperature 1.
        patient: its patient.
        examination: the case.
        control: receives the progress of the whole case and of each subset of sequences.
        missing: whether to measure it with every subset of its sequences, too.
    """
    stack = examination.stack
    used = predictor.channels(stack.sequences).used
    picked = _picked(examination)
    subsets = subsets_of(predictor.card, used) if missing else ()
    control.start(1 + len(subsets), "subset of sequences")
    with control.part() as part:
        opinions = predictor.opinions(stack, control=part)
        measurements = {used: _full(predictor, examination, opinions, part)}
    for subset in subsets:
        with control.part() as part:
            measurements[subset] = _partial(predictor, examination, subset, picked, part)
    stripped, quantiles = is_skull_stripped(stack), head_quantiles(stack)
    return MeasuredCase(patient, stripped, opinions.names, measurements, quantiles)


def _full(
    predictor: Predictor, examination: Examination, opinions: Opinions, control: Control
) -> SequenceMeasurement:
    """Measure all slices on the original grid, with every rule of clean-up."""
    record, regions = examination.stack.record, _labelled(predictor, examination)
    probabilities = uncrop(opinions.probabilities, record).astype(np.float32, copy=False)
    index = [predictor.card.regions.index(region) for region in regions]
    counts = count_voxels(probabilities[index], regions, examination)
    unlabelled = _unlabelled(predictor, opinions, regions)
    if examination.annotated is not None:
        return SequenceMeasurement(counts, {}, unlabelled)
    control.check()
    labels = labels_of_regions(probabilities >= predictor.card.threshold, predictor.card.regions)
    fragments = find_fragments(labels, probabilities.max(axis=0))
    cleaned = {}
    for region in predictor.card.regions:
        control.check()
        marked, drawn = (region_masks(a, (region,))[0] for a in (labels, examination.reference))
        cleaned[region] = _cleaned(fragments, marked, drawn, record.voxel_ml)
    volumes = {}
    for k, region in enumerate(regions):
        overlaps = cleaned[region]
        volumes[region] = Volumes(
            plain=tuple(overlap.predicted for overlap in overlaps),
            others=opinions.voxels[:, index[k]],
            true=overlaps[0].reference,
            disagreement=disagreement(opinions, index[k]),
            dice=tuple(_dice(overlap) for overlap in overlaps),
        )
    much = tuple(
        any(removed_much(own[0].predicted, own[rule].predicted) for own in cleaned.values())
        for rule in range(len(RULES))
    )
    return SequenceMeasurement(counts, volumes, unlabelled, much)


def _unlabelled(predictor: Predictor, opinions: Opinions, labelled: Sequences) -> dict[str, float]:
    """See ``SequenceMeasurement``: how much maps usually differ needs no reference."""
    regions = enumerate(predictor.card.regions)
    return {
        region: disagreement(opinions, k)
        for k, region in regions
        if region not in labelled and opinions.plain[k]
    }


def _labelled(predictor: Predictor, examination: Examination) -> Sequences:
    """Regions of the model that are labelled in the reference."""
    return tuple(r for r in predictor.card.regions if r in examination.regions)


def _cleaned(
    fragments: Fragments | None,
    marked: npt.NDArray[np.bool_],
    drawn: npt.NDArray[np.bool_],
    voxel_ml: float,
) -> list[Overlap]:
    """Overlap of the mask of a region with its reference, after each of ``RULES``."""
    reference = int(drawn.sum())
    if fragments is None:
        return [Overlap(reference, 0, 0)] * len(RULES)
    inside, count = fragments.numbered, len(fragments.voxels) + 1
    near, true = marked[fragments.box], drawn[fragments.box]
    voxels = np.bincount(inside[near], minlength=count)[1:]
    both = np.bincount(inside[near & true], minlength=count)[1:]
    overlaps = []
    for rule in RULES:
        kept = ~removed(fragments, rule, voxel_ml) if rule else np.ones(count - 1, bool)
        overlaps.append(Overlap(reference, int(voxels[kept].sum()), int(both[kept].sum())))
    return overlaps


def _partial(
    predictor: Predictor,
    examination: Examination,
    subset: Sequences,
    picked: npt.NDArray[np.intp],
    control: Control,
) -> SequenceMeasurement:
    """Measure some slices with some sequences.

    Voxels are counted in these slices; intervals are fitted to ratios of counts, which do not
    depend on the number of slices.
    """
    part = _select(examination, subset, picked)
    opinions = predictor.opinions(part.stack, control=control)
    regions = _labelled(predictor, examination)
    index = [predictor.card.regions.index(region) for region in regions]
    masks = predictor.masks(opinions.probabilities)
    inside = region_masks(part.near, regions)
    whole = region_masks(part.drawn, regions)
    volumes = {}
    for k, region in enumerate(regions):
        mask = masks[index[k]]
        counts = Overlap(int(whole[k].sum()), int(mask.sum()), int((inside[k] & mask).sum()))
        volumes[region] = Volumes(
            plain=(counts.predicted,),
            others=opinions.voxels[:, index[k]],
            true=counts.reference,
            disagreement=disagreement(opinions, index[k]),
            dice=(_dice(counts),),
        )
    counted = {
        region: count_probabilities(opinions.probabilities[index[k]], inside[k])
        for k, region in enumerate(regions)
    }
    measured = volumes if examination.annotated is None else {}
    return SequenceMeasurement(counted, measured, _unlabelled(predictor, opinions, regions))


@dataclass(frozen=True, eq=False)
class _Part:
    """Slices of an examination with some of its sequences.

    Attributes:
        stack: the slices.
        near: (S, H, W) labels in the head crop.
        drawn: (S, H', W') labels of the whole slices.
    """

    stack: SliceStack
    near: LabelArray
    drawn: LabelArray


def _select(examination: Examination, subset: Sequences, picked: npt.NDArray[np.intp]) -> _Part:
    stack, labels = examination.stack, examination.reference
    index = [stack.sequences.index(name) for name in subset]
    return _Part(
        replace(stack, array=stack.array[picked][:, index], sequences=subset, consecutive=False),
        labels[picked][:, *stack.record.window],
        labels[picked],
    )


def _picked(examination: Examination) -> npt.NDArray[np.intp]:
    """Select at most ``MOST_SLICES`` annotated slices, evenly spaced."""
    count = len(examination.stack.array)
    known = examination.annotated
    slices = np.arange(count) if known is None else np.flatnonzero(known)
    return slices[
        np.linspace(0, len(slices) - 1, min(len(slices), MOST_SLICES)).round().astype(np.intp)
    ]


def _dice(counts: Overlap) -> float | None:
    """Dice; None if both masks are empty."""
    total = counts.reference + counts.predicted
    return 2.0 * counts.both / total if total else None


def choose_clean_up(cases: Sequence[MeasuredCase]) -> CleanUp | None:
    """Choose the rule with the highest Dice of the whole tumour that does not lower it for any kind
    of image.

    Whole heads and skull-stripped brains have equal weight, independently of the number of
    patients. Among equal rules the first of ``RULES`` is chosen, which removes least. None without
    patients.
    """
    gains = [_gains(cases, stripped) for stripped in (False, True)]
    usable = np.array([row for row in gains if row is not None])
    if not usable.size:
        return None
    allowed = (usable >= -_TIE).all(axis=0)
    mean = np.where(allowed, usable.mean(axis=0), -np.inf)
    return RULES[int(np.flatnonzero(mean >= mean.max() - _TIE)[0])]


def _gains(cases: Sequence[MeasuredCase], stripped: bool) -> list[float] | None:
    """Gain of each rule in mean Dice over the patients with one kind of image."""
    first = {c.patient: c for c in reversed(cases) if c.skull_stripped == stripped}
    volumes = (next(iter(case.full.volumes.values()), None) for case in first.values())
    rows = [case.dice for case in volumes if case is not None and None not in case.dice]
    if not rows:
        return None
    means = np.array(rows, np.float64).mean(axis=0)
    gains: list[float] = (means - means[0]).tolist()
    return gains
