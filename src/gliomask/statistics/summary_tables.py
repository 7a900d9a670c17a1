"""Summaries of an evaluation as CSV."""

from __future__ import annotations

from gliomask.core.csv_table import Cell, csv_text
from gliomask.metrics.metric import METRICS
from gliomask.statistics.analysis import Analysis
from gliomask.statistics.summary import Summary

_FIGURES = ("n", "n_empty", "mean", "ci95_low", "ci95_high", "median", "p10", "p90", "min", "max")


def scores_csv(analysis: Analysis) -> str:
    """A row for each region and score."""
    rows = [
        [region, metric, METRICS[metric].unit, *_figures(regions[region])]
        for region in analysis.regions
        for metric, regions in analysis.summary.metrics.items()
        if region in regions
    ]
    return csv_text(("region", "score", "unit", *_FIGURES), rows)


def groups_csv(analysis: Analysis) -> str:
    """Dice of the first region, a row for each group of patients."""
    rows = [
        [name, stratum.label, *_figures(stratum.summary)]
        for name, strata in analysis.strata.items()
        for stratum in strata.strata
    ]
    return csv_text(("grouped_by", "group", *_FIGURES), rows)


def _figures(scores: Summary) -> list[Cell]:
    low, high = scores.ci95 or (None, None)
    ends = (scores.median, scores.p10, scores.p90, scores.min, scores.max)
    return [scores.n, scores.n_empty, scores.mean, low, high, *ends]
