"""Summary of a score over patients: mean, percentiles, confidence interval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gliomask.metrics.policy import Score

RESAMPLES = 10_000
_CHUNK = 1_000_000
"""Number of random indices in memory at a time."""


@dataclass(frozen=True)
class Summary:
    """Summary of a score over patients.

    Attributes:
        n: number of patients with a score.
        n_empty: number of patients without one by the policy, who are excluded from all values.
        mean, median, p10, p90, min, max: over the ``n``; p10 and p90 are percentiles (the worse one
        is p10 for overlaps, p90 for distances). None if ``n`` is 0.
        ci95: bootstrap interval of the mean; None for fewer than two patients.
    """

    n: int
    n_empty: int
    mean: float | None
    median: float | None
    p10: float | None
    p90: float | None
    min: float | None
    max: float | None
    ci95: tuple[float, float] | None


def by_patient(scores: Iterable[tuple[str, Score]]) -> list[Score]:
    """Values of ``scores_by_patient``."""
    return list(scores_by_patient(scores).values())


def scores_by_patient(scores: Iterable[tuple[str, Score]]) -> dict[str, Score]:
    """Convert (patient, score) of cases to a score per patient: the mean of the patient's cases.

    Cases without a score are excluded; a patient without any score gets None. Patients come in the
    order of their first case.
    """
    known_scores: dict[str, list[float]] = defaultdict(list)
    for patient, score in scores:
        known_scores[patient] += [] if score is None else [score]
    return {
        patient: float(np.mean(values)) if values else None
        for patient, values in known_scores.items()
    }


def summarise(scores: Sequence[Score], *, seed: int = 0) -> Summary:
    """Summarise one score per patient.

    Args:
        scores: one for each patient, None if undefined.
        seed: seed of the bootstrap; the same scores and seed give the same interval.

    Raises:
        ValueError: a score is infinite or not a number.
    """
    values = np.array([score for score in scores if score is not None], np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a score is infinite or not a number")
    empty = len(scores) - values.size
    if not values.size:
        return Summary(0, empty, None, None, None, None, None, None, None)
    return Summary(
        n=values.size,
        n_empty=empty,
        mean=float(values.mean()),
        median=float(np.median(values)),
        p10=float(np.percentile(values, 10)),
        p90=float(np.percentile(values, 90)),
        min=float(values.min()),
        max=float(values.max()),
        ci95=bootstrap_ci95(values, seed=seed) if values.size > 1 else None,
    )


def bootstrap_ci95(
    values: npt.NDArray[np.float64], *, seed: int = 0, statistic: Literal["mean", "median"] = "mean"
) -> tuple[float, float]:
    """The 95 % percentile interval under resampling with replacement (Efron 1979).

    Args:
        values: one per patient, at least one.
        seed: seed of the resampling.
        statistic: statistic of the interval.
    """
    centre = np.mean if statistic == "mean" else np.median
    rng = np.random.default_rng(seed)
    centres = np.empty(RESAMPLES)
    step = max(1, _CHUNK // values.size)
    for start in range(0, RESAMPLES, step):
        stop = min(start + step, RESAMPLES)
        drawn = rng.integers(0, values.size, (stop - start, values.size))
        centres[start:stop] = centre(values[drawn], axis=1)
    low, high = np.percentile(centres, (2.5, 97.5))
    return float(low), float(high)
