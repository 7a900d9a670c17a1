"""Sampling of the slices of an epoch, and their order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from gliomask.config import SamplingOptions
from gliomask.datasets.find import LAYOUTS
from gliomask.errors import ConfigError, nearest
from gliomask.learning.catalogue import BoolArray, Catalogue, IntArray
from gliomask.learning.randomness import Purpose, stream


@dataclass(frozen=True, eq=False)
class PatientOdds:
    """Sampling frequency of the patient of each of n samples.

    Attributes:
        patient: (n,) index of the patient.
        weight: (n,) relative weight of the patient, shared by the patient's samples.
    """

    patient: IntArray
    weight: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Samples:
    """Population to sample from: slices, or single sequences of slices.

    Attributes:
        row: (n,) row of the slice in the catalogue.
        channel: (n,) index of the sequence; None if a sample has all sequences.
        tumour: (n,), whether the slice contains tumour.
    """

    row: IntArray
    channel: IntArray | None
    tumour: BoolArray


def stacked_samples(catalogue: Catalogue) -> Samples:
    """One sample for each slice."""
    return Samples(np.arange(len(catalogue)), None, catalogue.tumour)


def single_samples(catalogue: Catalogue) -> Samples:
    """One sample for each available sequence of each slice."""
    row, channel = np.nonzero(catalogue.present[catalogue.case])
    return Samples(row, channel, catalogue.tumour[row])


def patient_odds(
    catalogue: Catalogue, samples: Samples, options: SamplingOptions
) -> PatientOdds | None:
    """Sampling frequencies by the options; None if every slice is drawn equally often.

    Raises:
        ConfigError: a weight of a data set that no layout is named after.
    """
    weights = options.patient_weights
    if weights is None:
        return None
    known = {layout.name for layout in LAYOUTS} | {case.source for case in catalogue.cases}
    if unknown := min(weights.keys() - known, default=None):
        raise ConfigError(
            "no such data set",
            field="sampling.patient_weights",
            found=unknown,
            allowed=", ".join(sorted(known)),
            hint=nearest(unknown, known),
        )
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
    """Indices of the samples of an epoch in order; their number is a multiple of ``batch``.

    The last batch is filled with repeated samples, so all steps have equal weight. Without
    ``odds``, no sample is repeated before every sample of its kind (with or without tumour) was
    used once.

    Args:
        tumour: (n,), whether the sample contains tumour, n > 0.
        options: number of samples, and the fraction with tumour. If all samples are of one kind,
            they are all drawn from it.
        batch: samples in a step, over all devices.
        seed: seed of the recipe.
        epoch: from 0.
        odds: sampling frequency of the patients; None draws every sample equally often.
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
    """Draw ``count`` samples without replacement; reshuffle when all are used."""
    rounds = [rng.permutation(pack) for _ in range(-(-count // pack.size))]
    return np.concatenate([np.empty(0, np.int64), *rounds])[:count]


def _deal_by_patient(
    odds: PatientOdds, pack: IntArray, count: int, rng: np.random.Generator
) -> IntArray:
    """Draw ``count`` samples by their frequencies, rounded up or down at random.

    Systematic sampling: equally spaced marks on a line on which each sample has its share.
    """
    patient = odds.patient[pack]
    share = odds.weight[pack] / np.bincount(patient)[patient]
    order = rng.permutation(pack.size)
    ends = np.cumsum(share[order])
    marks = (rng.random() + np.arange(count)) * (ends[-1] / max(count, 1))
    places = np.searchsorted(ends, marks, side="right").clip(max=pack.size - 1)
    return rng.permutation(pack[order[places]])
