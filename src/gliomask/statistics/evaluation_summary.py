"""Summary of an evaluation, and its representation in ``summary.json``."""

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
    "All values are over patients; a patient with several cases counts once, with their mean. "
    "p10 is the 10th percentile; the 95 % confidence interval of the mean (ci95) is bootstrapped."
)


@dataclass(frozen=True)
class EvaluationSummary:
    """Summaries of all scores over patients.

    Attributes:
        n: number of patients with a score of the first region.
        n_empty: number of patients without one, because both masks are empty.
        n_cases: number of evaluated cases.
        metrics: metric -> region -> summary; metrics without any case are absent.
        slices: region -> all evaluated slices of all cases, pooled.
        lesions: region -> numbers of detected, missed, false-positive and too small lesions, over
            the cases with counted lesions; regions without such a case are absent.
    """

    n: int
    n_empty: int
    n_cases: int
    metrics: dict[str, dict[str, Summary]]
    slices: dict[str, SliceScore]
    lesions: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def policy(self) -> str:
        """Policy for empty masks, to show with all values."""
        return POLICY.text

    def mean(self, metric: str, region: str) -> float:
        """Mean of a score over patients.

        Raises:
            KeyError: the metric or region does not exist.
            ValueError: no patient has a score.
        """
        mean = self.metrics[metric][region].mean
        if mean is None:
            raise ValueError(f"no patient has a {metric} of {region}: {POLICY.text}")
        return mean


def summarise_scores(scores: Sequence[CaseScore]) -> EvaluationSummary:
    """Summarise any number of rows; regions are in the order of their first row."""
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
        slices={
            region: pool_slices(row.slices for row in region_rows)
            for region, region_rows in rows.items()
        },
        lesions=_lesion_counts(rows),
    )


def summary_keys(summary: EvaluationSummary) -> dict[str, object]:
    """Convert the summary to plain JSON values, with the policy and the permitted use."""
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
    """Regions with a row to which the metric applies; other rows are not empty cases."""
    having = {
        region: [r for r in region_rows if metric.applies(r)]
        for region, region_rows in rows.items()
    }
    return {
        region: summarise(by_patient((row.patient, metric(row)) for row in region_rows))
        for region, region_rows in having.items()
        if region_rows
    }


def _lesion_counts(rows: Mapping[str, Sequence[CaseScore]]) -> dict[str, dict[str, int]]:
    counted = {
        region: [row.lesions for row in region_rows if row.lesions is not None]
        for region, region_rows in rows.items()
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
