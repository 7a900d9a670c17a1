"""``report.html``: an evaluation as one page that works offline and can be printed.

It contains only text, SVG and embedded pictures, and makes no network requests. The worst cases
come first, and results are shown with the policy and their intervals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from typing import TYPE_CHECKING

from markupsafe import Markup

from gliomask.core.regions import REGIONS
from gliomask.report import style
from gliomask.report.checklists.checklist import ChecklistItem
from gliomask.report.evaluation.figures import NamedFigure, Section
from gliomask.report.evaluation.pictures import SlicePicture
from gliomask.report.evaluation.tables import (
    CaseRow,
    case_columns,
    case_rows,
    headline,
    score_tables,
)
from gliomask.report.package_files import package_text
from gliomask.report.page import Assets, render
from gliomask.statistics.analysis import Analysis
from gliomask.statistics.evaluation_summary import UNIT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WITH_PICTURES = 100
"""Maximum number of cases with slices in the page, so that it can be sent by mail."""
_WORST = 6
_SECTIONS: Mapping[Section, tuple[str, str]] = {
    "distributions": ("Distribution of the scores", "Distributions"),
    "volumes": ("Volumes", "Volumes"),
    "groups": ("Subgroups", "Groups"),
    "calibration": ("Calibration of the probabilities", "Calibration"),
    "training": ("Training", "Training"),
}
"""Of charts: heading and short name."""


@dataclass(frozen=True, eq=False)
class EvaluationContent:
    """Content of an evaluation page.

    Attributes:
        title: subject of the evaluation.
        subtitle: by what, and on how many.
        warnings: warnings to show with all results.
        analysis: the figures.
        charts: charts of the evaluation, and of the training if available.
        pictures: case -> its most telling slices.
        remarks: (case, what looks wrong with it).
        failures: (case, why it was not evaluated).
        facts: (name, value) of data, licence, model and provenance.
        checklist: the items of all lists.
    """

    title: str
    subtitle: str
    warnings: tuple[str, ...]
    analysis: Analysis
    charts: Sequence[NamedFigure]
    pictures: Mapping[str, Sequence[SlicePicture]]
    remarks: Sequence[tuple[str, str]]
    failures: Sequence[tuple[str, str]]
    facts: Sequence[tuple[str, str]]
    checklist: Sequence[ChecklistItem]


@dataclass(frozen=True)
class _Slice:
    """A slice of a case; ``style`` is the CSS class with its pictures."""

    picture: SlicePicture
    style: str


@dataclass(frozen=True)
class _Case:
    row: CaseRow
    slices: tuple[_Slice, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class _Chart:
    title: str
    caption: str
    svg: Markup


def evaluation_page(findings: EvaluationContent) -> str:
    """The page's HTML."""
    cases = _cases(findings)
    pictured = [case for case in cases if case.slices]
    charts = {section: _charts(findings.charts, section) for section in _SECTIONS}
    context = {
        "page": findings,
        "tiles": headline(findings.analysis),
        "empty_masks": findings.analysis.summary.policy,
        "unit": UNIT,
        "tables": score_tables(findings.analysis),
        "worst": [case for case in pictured if case.row.dice is not None][:_WORST],
        "cases": cases,
        "case_columns": case_columns(findings.analysis),
        "pictures_note": _pictures_note(len(pictured), len(cases)),
        "charts": charts,
        "headings": _SECTIONS,
        "checklists": [(k, list(v)) for k, v in groupby(findings.checklist, lambda i: i.checklist)],
        "version": version("gliomask"),
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    assets = Assets(
        styles=(package_text("static/evaluation.css"), _picture_styles(pictured)),
        scripts=(package_text("static/evaluation.js"),),
        style_attributes=True,
    )
    return render("evaluation.html.j2", context, assets)


def _cases(findings: EvaluationContent) -> list[_Case]:
    rows = case_rows(findings.analysis)
    cases_shown = _shown([row.case for row in rows if findings.pictures.get(row.case)])
    remarks: dict[str, list[str]] = {}
    for case, remark in findings.remarks:
        remarks.setdefault(case, []).append(remark)
    return [
        _Case(
            row,
            tuple(
                _Slice(picture, f"s{number}-{k}")
                for k, picture in enumerate(findings.pictures.get(row.case, ()))
            )
            if row.case in cases_shown
            else (),
            tuple(remarks.get(row.case, ())),
        )
        for number, row in enumerate(rows)
    ]


def _shown(ranked: Sequence[str]) -> set[str]:
    """Cases whose pictures are in the page: the worst, and others evenly to the best."""
    if len(ranked) <= WITH_PICTURES:
        return set(ranked)
    half = WITH_PICTURES // 2
    worst, rest = ranked[:half], ranked[half:]
    return {*worst, *(rest[round(k * (len(rest) - 1) / (half - 1))] for k in range(half))}


def _pictures_note(count: int, cases: int) -> str:
    if not count or count == cases:
        return ""
    return f"{count} of {cases} cases are shown with slices: the worst, and others evenly spaced."


def _picture_styles(cases: Sequence[_Case]) -> str:
    """The pictures as variables of CSS, each once, whatever number of panels shows it."""
    return "\n".join(_picture_style(slice_) for case in cases for slice_ in case.slices)


def _picture_style(slice_: _Slice) -> str:
    picture = slice_.picture
    layers = {
        "image": picture.image,
        "reference": picture.reference,
        "predicted": picture.predicted,
        "difference": picture.difference,
    }
    variables = [f"--{name}:url({uri});" for name, uri in layers.items() if uri is not None]
    variables += [f"--ratio:{picture.ratio:.4f};", f"--region:{REGIONS[picture.region].colour}"]
    return f".{slice_.style}{{{''.join(variables)}}}"


def _charts(charts: Sequence[NamedFigure], section: Section) -> list[_Chart]:
    return list(_inlined(chart for chart in charts if chart.section == section))


def _inlined(charts: Iterator[NamedFigure]) -> Iterator[_Chart]:
    for chart in charts:
        label = ". ".join(text for text in (chart.title, chart.caption) if text)
        svg = style.inline_svg(chart.figure, chart.stem, label)
        yield _Chart(chart.title, chart.caption, Markup(svg))  # noqa: S704


def curves_chart(figure: Figure, run: str = "") -> NamedFigure:
    """The curves of a training as a chart of the page.

    Args:
        figure: see ``report.curves.epoch_curves``.
        run: name of the run where there are several.
    """
    caption = "Loss and Dice loss by epoch, of training and of validation patients."
    stem = "_".join(part for part in ("curves", run) if part)
    return NamedFigure("training", stem, run, caption, figure)
