"""Tables of an evaluation as display text: main results, scores, groups, all cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gliomask.core.counted import counted
from gliomask.core.regions import REGIONS
from gliomask.metrics.case_score import CaseScore
from gliomask.metrics.metric import METRICS, Metric
from gliomask.metrics.slicewise import SliceScore
from gliomask.report.numbers import interval_text, number_text
from gliomask.statistics.analysis import Analysis, volumes_of_score
from gliomask.statistics.summary import Summary

SCORE_COLUMNS = (
    "score",
    "mean",
    "95 % CI of mean",
    "median",
    "p10",
    "p90",
    "min",
    "max",
    "n",
    "empty",
)
_OF_CASES = ("hd95_mm", "hd95_px", "nsd_2mm", "nsd_2px", "volume_error_percent")
"""Scores of the first region in the table of cases, besides Dice."""


@dataclass(frozen=True)
class Tile:
    """A headline figure and what it is taken over."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class TextTable:
    """A table of text; the first column names the rows."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class TableCell:
    """A figure: as a number to sort by (empty if there is none), and as it is shown."""

    value: str
    text: str


@dataclass(frozen=True)
class CaseRow:
    """One case; ``dice`` of its first region."""

    case: str
    dice: float | None
    cells: tuple[TableCell, ...]


def headline(analysis: Analysis) -> tuple[Tile, ...]:
    """Tiles of the main results."""
    region = analysis.regions[0]
    dice = analysis.summary.metrics["dice"]
    tiles = [_mean_dice(region_name, dice[region_name]) for region_name in analysis.regions]
    median, worst = number_text(dice[region].median, 3), number_text(dice[region].p10, 3)
    tiles.append(Tile("Median Dice", median, f"worst tenth below {worst}"))
    for name in ("hd95_mm", "hd95_px"):
        score = analysis.summary.metrics.get(name, {}).get(region)
        if score is not None and score.n:
            unit = METRICS[name].unit
            note = f"median; mean {number_text(score.mean, 1)} {unit}"
            tiles.append(Tile("HD95", f"{number_text(score.median, 1)} {unit}", note))
    slices = analysis.summary.slices[region]
    if slices.false_positive_rate is not None:
        rate = f"{100 * slices.false_positive_rate:.1f} %"
        note = f"{slices.invented} of {slices.free}; on average {_marked_area(slices)}"
        tiles.append(Tile("Tumour-free slices with false positives", rate, note))
    return tuple(tiles)


def score_tables(analysis: Analysis) -> tuple[TextTable, ...]:
    """A table for each region, a row for each score."""
    return tuple(
        TextTable(_caption(analysis, region), SCORE_COLUMNS, _score_rows(analysis, region))
        for region in analysis.regions
    )


def strata_table(analysis: Analysis) -> TextTable:
    """The Dice of the first region in every group; no rows where nothing groups the patients."""
    rows = []
    for name, strata in analysis.strata.items():
        for stratum in strata.strata:
            group_scores = stratum.summary
            figures = (group_scores.median, group_scores.p10, group_scores.min)
            mean = (number_text(group_scores.mean, 3), interval_text(group_scores.ci95, 3))
            texts = (*mean, *(number_text(value, 3) for value in figures))
            rows.append((name, stratum.label, *texts, str(group_scores.n)))
    region = REGIONS[analysis.regions[0]].title
    columns = ("grouped by", "group", "mean", "95 % CI of mean", "median", "p10", "min", "n")
    return TextTable(f"Dice of the {region} by group", columns, tuple(rows))


def case_columns(analysis: Analysis) -> tuple[str, ...]:
    """Column names of ``case_rows``, the case first."""
    unit, single = analysis.volume_unit, len(analysis.regions) == 1
    dice = ("Dice" if single else f"Dice {region}" for region in analysis.regions)
    named = (name_of(metric) for metric in _case_metrics(analysis))
    return "case", *dice, f"true {unit}", f"predicted {unit}", *named, "false-positive slices"


def case_rows(analysis: Analysis) -> tuple[CaseRow, ...]:
    """Table of all cases, worst first; cases without a score last."""
    cases: dict[str, dict[str, CaseScore]] = {}
    for score in analysis.scores:
        cases.setdefault(score.case, {})[score.region] = score
    rows = [_case_row(analysis, case, scores) for case, scores in cases.items()]
    return tuple(sorted(rows, key=lambda row: (row.dice is None, row.dice or 0.0)))


def name_of(metric: Metric) -> str:
    """Display name of the metric, with its unit."""
    label = metric.label[0].upper() + metric.label[1:]
    return f"{label} ({metric.unit})" if metric.unit else label


def _mean_dice(region: str, scores: Summary) -> Tile:
    note = f"mean of {counted(scores.n, 'patient')} {interval_text(scores.ci95, 3)}".rstrip()
    return Tile(f"Dice, {REGIONS[region].title}", number_text(scores.mean, 3), note)


def _caption(analysis: Analysis, region: str) -> str:
    slices = analysis.summary.slices[region]
    name = REGIONS[region].title.capitalize()
    if slices.dice is None:
        return name
    return f"{name}; mean Dice of the {slices.tumour} slices with tumour: {slices.dice:.3f}"


def _marked_area(slices: SliceScore) -> str:
    """Area of false positives in each tumour-free slice."""
    if slices.false_positive_mm2 is not None:
        return f"{number_text(slices.false_positive_mm2, 0)} mm² a slice"
    return f"{number_text(slices.false_positive_px, 0)} px a slice"


def _score_rows(analysis: Analysis, region: str) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (name_of(METRICS[name]), *_score_cells(METRICS[name], regions[region]))
        for name, regions in analysis.summary.metrics.items()
        if region in regions
    )


def _score_cells(metric: Metric, scores: Summary) -> tuple[str, ...]:
    figures = (scores.median, scores.p10, scores.p90, scores.min, scores.max)
    return (
        number_text(scores.mean, metric.decimals),
        interval_text(scores.ci95, metric.decimals),
        *(number_text(value, metric.decimals) for value in figures),
        str(scores.n),
        str(scores.n_empty),
    )


def _case_metrics(analysis: Analysis) -> list[Metric]:
    return [METRICS[name] for name in _OF_CASES if name in analysis.summary.metrics]


def _case_row(analysis: Analysis, case: str, scores: Mapping[str, CaseScore]) -> CaseRow:
    first = next(iter(scores.values()))
    decimals = 1 if analysis.volume_unit == "ml" else 0
    free = first.slices
    share = free.false_positive_rate
    marked = (
        TableCell("", "")
        if share is None
        else TableCell(f"{share:.6g}", f"{free.invented}/{free.free}")
    )
    return CaseRow(
        case,
        first.overlap.dice,
        (
            *(_cell(_dice(scores.get(region)), 3) for region in analysis.regions),
            *(_cell(volume, decimals) for volume in volumes_of_score(first, analysis.volume_unit)),
            *(_cell(metric(first), metric.decimals) for metric in _case_metrics(analysis)),
            marked,
        ),
    )


def _dice(score: CaseScore | None) -> float | None:
    return None if score is None else score.overlap.dice


def _cell(value: float | None, decimals: int) -> TableCell:
    return TableCell("" if value is None else f"{value:.6g}", number_text(value, decimals))
