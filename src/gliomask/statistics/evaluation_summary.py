"""All that an evaluation says in figures, and how ``summary.json`` writes it down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.metrics.case_score import CaseScore
from gliomask.metrics.lesions import count_lesions
from gliomask.metrics.metric import METRICS, Metric
from gliomask.metrics.policy import POLICY
from gliomask.metrics.slicewise import SliceScore, pool_slices
from gliomask.statistics.summary import Summary, by_patient, summarise

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
        n_cases: evaluated cases.
        metrics: metric -> region -> its summary; a metric that no case has is absent.
        slices: region -> all evaluated slices of all cases, pooled.
        lesions: region -> how many lesions were found, missed, invented and dropped as too small,
            over the cases in which lesions were counted; a region without such a case is absent.
    """

    n: int
    n_empty: int
    n_cases: int
    metrics: dict[str, dict[str, Summary]]
    slices: dict[str, SliceScore]
    lesions: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def policy(self) -> str:
        """The empty-mask policy, to be said beside every figure."""
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
    metrics = {name: _by_region(rows, metric) for name, metric in METRICS.items()}
    first = next(iter(metrics["dice"].values()), summarise([]))
    return EvaluationSummary(
        n=first.n,
        n_empty=first.n_empty,
        n_cases=len({score.case for score in scores}),
        metrics={name: regions for name, regions in metrics.items() if regions},
        slices={region: pool_slices(row.slices for row in kept) for region, kept in rows.items()},
        lesions=_lesion_counts(rows),
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
            metric: {region: asdict(scores) for region, scores in regions.items()}
            for metric, regions in summary.metrics.items()
        },
        "slices": {region: _slice_keys(scores) for region, scores in summary.slices.items()},
        "lesions": summary.lesions,
    }


def _by_region(rows: Mapping[str, Sequence[CaseScore]], metric: Metric) -> dict[str, Summary]:
    """The regions with a row that can have the metric; rows that can't are no empty cases."""
    having = {region: [r for r in kept if metric.applies(r)] for region, kept in rows.items()}
    return {
        region: summarise(by_patient((row.patient, metric(row)) for row in kept))
        for region, kept in having.items()
        if kept
    }


def _lesion_counts(rows: Mapping[str, Sequence[CaseScore]]) -> dict[str, dict[str, int]]:
    counted = {
        region: [row.lesions for row in kept if row.lesions is not None]
        for region, kept in rows.items()
    }
    return {region: count_lesions(lesions) for region, lesions in counted.items() if lesions}


def _slice_keys(slices: SliceScore) -> dict[str, object]:
    return {
        "n_tumour": slices.tumour,
        "dice_mean": slices.dice,
        "n_tumour_free": slices.free,
        "false_positive_rate": slices.false_positive_rate,
        "false_positive_px_mean": slices.false_positive_px,
        "false_positive_mm2_mean": slices.false_positive_mm2,
    }
