"""Sampling of the slices of an epoch, and their order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from gliomask.config import SamplingOptions
from gliomask.learning.catalogue import BoolArray, Catalogue, IntArray
from gliomask.learning.randomness import Purpose, stream


@dataclass(frozen=True, eq=False)
class PatientOdds:
    """Sampling frequency of the patient of each of n samples.

    Attributes:
        patient: (n,) index of the patient.
        weight: (n,) of the patient, relative to the others; the patient's samples share it.
    """

    patient: IntArray
    weight: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Samples:
    """Population to sample from: slices, or single sequences of slices.

    Attributes:
        row: (n,) which slice of the catalogue.
        channel: (n,) which of its sequences; None if a sample holds them all.
        tumour: (n,), whether the slice holds tumour.
    """

    row: IntArray
    channel: IntArray | None
    tumour: BoolArray


def stacked_samples(catalogue: Catalogue) -> Samples:
    """A sample for each slice."""
    return Samples(np.arange(len(catalogue)), None, catalogue.tumour)


def single_samples(catalogue: Catalogue) -> Samples:
    """A sample for each sequence that is there, of each slice."""
    row, channel = np.nonzero(catalogue.present[catalogue.case])
    return Samples(row, channel, catalogue.tumour[row])


def patient_odds(
    catalogue: Catalogue, samples: Samples, options: SamplingOptions
) -> PatientOdds | None:
    """The odds that the options ask for; None where every slice is drawn equally often."""
    weights = options.patient_weights
    if weights is None:
        return None
    of_case = np.array([weights.get(case.source, 1.0) for case in catalogue.cases])
    rows = samples.row
    return PatientOdds(catalogue.patient_of_rows(rows), of_case[catalogue.case[rows]])


def plan_epoch(
    tumour: BoolArray,
    options: SamplingOptions,
    *,
    batch: int,
    seed: int,
    epoch: int,
    odds: PatientOdds | None = None,
) -> IntArray:
    """The samples of an epoch in their order: indices, a multiple of ``batch`` of them.

    The last batch is filled up with samples drawn again, so that every step weighs the same and
    every sample comes at least once where all are wanted. No sample comes twice before each one
    of its kind (with tumour, without) came once.

    Args:
        tumour: (n,) of each sample, n > 0.
        options: how many, and the share of those with tumour. If all are of one kind, the share
            can't be held and all are drawn from that kind.
        batch: samples in a step, over all devices.
        seed: of the recipe.
        epoch: from 0.
        odds: of the patients; without them every sample is drawn equally often.
    """
    deal = _deal if odds is None else partial(_deal_by_patient, odds)
    rng = stream(seed, Purpose.PLAN, epoch)
    count = -(-(options.slices or tumour.size) // batch) * batch
    kinds = [np.flatnonzero(tumour), np.flatnonzero(~tumour)]
    if options.tumour_share is None or not all(kind.size for kind in kinds):
        return deal(np.arange(tumour.size), count, rng)
    positive = round(options.tumour_share * count)
    drawn = [deal(kinds[0], positive, rng), deal(kinds[1], count - positive, rng)]
    return rng.permutation(np.concatenate(drawn))


def _deal(pack: IntArray, count: int, rng: np.random.Generator) -> IntArray:
    """``count`` of the pack, which is shuffled anew each time it is used up."""
    rounds = [rng.permutation(pack) for _ in range(-(-count // pack.size))]
    return np.concatenate([np.empty(0, np.int64), *rounds])[:count]


def _deal_by_patient(
    odds: PatientOdds, pack: IntArray, count: int, rng: np.random.Generator
) -> IntArray:
    """``count`` of the pack, each as often as its odds say, rounded up or down at random.

    Systematic sampling: equally spaced marks on a line on which each sample has its share.
    """
    patient = odds.patient[pack]
    share = odds.weight[pack] / np.bincount(patient)[patient]
    order = rng.permutation(pack.size)
    ends = np.cumsum(share[order])
    marks = (rng.random() + np.arange(count)) * (ends[-1] / max(count, 1))
    places = np.searchsorted(ends, marks, side="right").clip(max=pack.size - 1)
    return rng.permutation(pack[order[places]])
