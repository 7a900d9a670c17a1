"""All that an evaluation says in figures, and how ``summary.json`` writes it down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.evaluation.policy import POLICY, Score
from gliomask.evaluation.scores import METRICS, CaseScore
from gliomask.evaluation.slicewise import SliceScore, pool
from gliomask.evaluation.statistics import Summary, by_patient, summarise

UNIT = (
    "Figures are over patients; a patient with several cases counts once, with their mean. "
    "p10 is the 10th percentile, ci95 the bootstrap percentile interval of the mean."
)


@dataclass(frozen=True)
class EvaluationSummary:
    """Every score over patients.

    Attributes:
        n: patients with a score of the first region.
        n_empty: patients without one: both masks are empty.
        n_cases: cases judged.
        metrics: metric -> region -> its summary.
        slices: region -> all judged slices of all cases, pooled.
    """

    n: int
    n_empty: int
    n_cases: int
    metrics: dict[str, dict[str, Summary]]
    slices: dict[str, SliceScore]

    @property
    def policy(self) -> str:
        """How empty masks were scored, to be said beside every figure."""
        return POLICY.text

    def mean(self, metric: str, region: str) -> float:
        """The mean of a score over patients.

        Raises:
            KeyError: no such metric or region.
            ValueError: no patient has a score.
        """
        mean = self.metrics[metric][region].mean
        if mean is None:
            raise ValueError(f"no patient has a {metric} of {region}: {POLICY.text}")
        return mean


def summarise_scores(scores: Sequence[CaseScore]) -> EvaluationSummary:
    """The summary of any number of rows; regions come in the order of their first row."""
    rows: dict[str, list[CaseScore]] = {}
    for score in scores:
        rows.setdefault(score.region, []).append(score)
    metrics = {metric: _by_region(rows, read) for metric, read in METRICS.items()}
    first = next(iter(metrics["dice"].values()), summarise([]))
    return EvaluationSummary(
        n=first.n,
        n_empty=first.n_empty,
        n_cases=len({score.case for score in scores}),
        metrics=metrics,
        slices={region: pool(row.slices for row in kept) for region, kept in rows.items()},
    )


def summary_keys(summary: EvaluationSummary) -> dict[str, object]:
    """The summary as plain JSON values, with the policy and what it may be used for."""
    return {
        "notice": RESEARCH_USE_ONLY,
        "policy": POLICY.text,
        "unit": UNIT,
        "n": summary.n,
        "n_empty": summary.n_empty,
        "n_cases": summary.n_cases,
        **{
            metric: {region: asdict(one) for region, one in regions.items()}
            for metric, regions in summary.metrics.items()
        },
        "slices": {region: _slice_keys(one) for region, one in summary.slices.items()},
    }


def _by_region(
    rows: Mapping[str, Sequence[CaseScore]], read: Callable[[CaseScore], Score]
) -> dict[str, Summary]:
    return {
        region: summarise(by_patient((row.patient, read(row)) for row in kept))
        for region, kept in rows.items()
    }


def _slice_keys(slices: SliceScore) -> dict[str, object]:
    return {
        "n_tumour": slices.tumour,
        "dice_mean": slices.dice,
        "n_tumour_free": slices.free,
        "false_positive_rate": slices.false_positive_rate,
    }
