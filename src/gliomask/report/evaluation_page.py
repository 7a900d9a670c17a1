"""``report.html``: an evaluation as one page that opens anywhere, offline, and prints well.

Everything in it is text, SVG or a picture of its own; it asks the network for nothing. The worst
cases come first, and the policy and the intervals stand beside the figures that they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from markupsafe import Markup
from matplotlib.figure import Figure

from gliomask.evaluation.analysis import Analysis, volumes
from gliomask.evaluation.case_score import CaseScore
from gliomask.evaluation.metric import METRICS, Metric
from gliomask.evaluation.statistics import Summary
from gliomask.evaluation.summary import UNIT
from gliomask.report import style
from gliomask.report.checklist import ChecklistItem
from gliomask.report.evaluation_charts import NamedFigure, evaluation_charts
from gliomask.report.numbers import interval_text, number_text
from gliomask.report.page import Assets, read_text, render
from gliomask.report.pictures import SlicePicture

WITH_PICTURES = 100
"""Cases whose slices are in the page at most: it has to stay small enough to be mailed."""
_WORST = 6


@dataclass(frozen=True, eq=False)
class Findings:
    """What a page tells.

    Attributes:
        title: what was judged.
        subtitle: by what, and on how many.
        warnings: what must be said beside every figure.
        analysis: the figures.
        pictures: case -> its most telling slices.
        remarks: (case, what looks wrong with it).
        failures: (case, why it was not judged).
        curves: of the model's training, if they are known.
        facts: (name, value) of data, licence, model and provenance.
        checklist: (name, items).
    """

    title: str
    subtitle: str
    warnings: tuple[str, ...]
    analysis: Analysis
    pictures: Mapping[str, Sequence[SlicePicture]]
    remarks: Sequence[tuple[str, str]]
    failures: Sequence[tuple[str, str]]
    curves: Figure | None
    facts: Sequence[tuple[str, str]]
    checklist: Sequence[tuple[str, Sequence[ChecklistItem]]]


def evaluation_page(findings: Findings) -> str:
    """The page's HTML."""
    cases = _cases(findings)
    shown = _shown(cases)
    pictured = [one for one in cases if one["case"] in shown]
    for case in cases:
        if case["case"] not in shown:
            case["slices"] = ()
    context = {
        "page": {
            "title": findings.title,
            "subtitle": findings.subtitle,
            "warnings": findings.warnings,
            "tiles": _tiles(findings.analysis),
            "policy": findings.analysis.summary.policy,
            "unit": UNIT,
            "tables": _tables(findings.analysis),
            "worst": [c for c in cases if c["slices"] and c["dice"] is not None][:_WORST],
            "cases": cases,
            "case_columns": _case_columns(findings.analysis),
            "pictures_note": _pictures_note(len(shown), len(cases)),
            "failures": findings.failures,
            "facts": findings.facts,
            "checklist": findings.checklist,
            "version": version("gliomask"),
            "made": datetime.now(UTC).strftime("%Y-%m-%d"),
            **_charts(findings),
        }
    }
    context["page"]["sections"] = _sections(context["page"])
    assets = Assets(
        styles=(read_text("static/evaluation.css"), _picture_styles(pictured)),
        scripts=(read_text("static/evaluation.js"),),
        style_attributes=True,
    )
    return render("evaluation.html.j2", context, assets)


def _sections(page: Mapping[str, object]) -> list[tuple[str, str]]:
    named = [
        ("Scores", "scores", True),
        ("Distributions", "distributions", page["charts"]),
        ("Worst cases", "worst", page["worst"]),
        ("Every case", "patients", True),
        ("Volumes", "volumes", page["volumes"]),
        ("Groups", "strata", page["strata"]),
        ("Calibration", "calibration", page["calibration"]),
        ("Training", "training", page["training"]),
        ("Not judged", "failures", page["failures"]),
        ("Provenance", "data", True),
        ("Checklists", "checklist", page["checklist"]),
    ]
    return [(name, anchor) for name, anchor, there in named if there]


def _tiles(analysis: Analysis) -> list[dict[str, str]]:
    """The headline figures: each with its interval or what it is taken over."""
    tiles = []
    for region in analysis.regions:
        dice = analysis.summary.metrics["dice"][region]
        tiles.append(
            {
                "label": f"Dice, {style.REGION_NAMES[region]}",
                "value": number_text(dice.mean, 3),
                "note": f"mean of {dice.n} patients {interval_text(dice.ci95, 3)}",
            }
        )
    first = analysis.regions[0]
    dice = analysis.summary.metrics["dice"][first]
    tiles.append(
        {
            "label": "Median Dice",
            "value": number_text(dice.median, 3),
            "note": f"worst tenth below {number_text(dice.p10, 3)}",
        }
    )
    for name in ("hd95_mm", "hd95_px"):
        if first in analysis.summary.metrics.get(name, {}):
            metric, found = METRICS[name], analysis.summary.metrics[name][first]
            tiles.append(
                {
                    "label": "HD95",
                    "value": f"{number_text(found.median, 1)} {metric.unit}",
                    "note": f"median; mean {number_text(found.mean, 1)} {metric.unit}",
                }
            )
    slices = analysis.summary.slices[first]
    if slices.false_positive_rate is not None:
        tiles.append(
            {
                "label": "Tumour-free slices marked",
                "value": f"{100 * slices.false_positive_rate:.1f} %",
                "note": f"{slices.invented} of {slices.free} slices",
            }
        )
    return tiles


def _tables(analysis: Analysis) -> list[dict[str, object]]:
    """A table for each region: a row for each score."""
    columns = ("score", "mean", "95 % of mean", "median", "p10", "p90", "min", "max", "n", "empty")
    tables = []
    for region in analysis.regions:
        rows = [
            (_named(METRICS[name]), *_cells(METRICS[name], regions[region]))
            for name, regions in analysis.summary.metrics.items()
            if region in regions
        ]
        slices = analysis.summary.slices[region]
        if slices.dice is not None:
            caption = f", mean Dice of {slices.tumour} slices with tumour {slices.dice:.3f}"
        else:
            caption = ""
        tables.append(
            {
                "caption": style.REGION_NAMES[region].capitalize() + caption,
                "columns": columns,
                "rows": rows,
            }
        )
    return tables


def _named(metric: Metric) -> str:
    label = metric.label[0].upper() + metric.label[1:]
    return f"{label} ({metric.unit})" if metric.unit else label


def _cells(metric: Metric, found: Summary) -> tuple[str, ...]:
    figures = (found.median, found.p10, found.p90, found.min, found.max)
    return (
        number_text(found.mean, metric.decimals),
        interval_text(found.ci95, metric.decimals),
        *(number_text(value, metric.decimals) for value in figures),
        str(found.n),
        str(found.n_empty),
    )


def _case_metrics(analysis: Analysis) -> list[Metric]:
    """The scores that the table of cases shows for the first region, besides Dice."""
    there = analysis.summary.metrics
    names = ("hd95_mm", "hd95_px", "nsd_2mm", "nsd_2px", "volume_error_percent")
    return [METRICS[name] for name in names if name in there]


def _case_columns(analysis: Analysis) -> list[str]:
    unit = analysis.volume_unit
    dice = [
        "Dice" if len(analysis.regions) == 1 else f"Dice {region}" for region in analysis.regions
    ]
    return [
        "case",
        *dice,
        f"true {unit}",
        f"predicted {unit}",
        *(_named(metric) for metric in _case_metrics(analysis)),
        "free slices marked",
    ]


def _cases(findings: Findings) -> list[dict[str, object]]:
    """Every case, the worst first; those without a score last."""
    analysis = findings.analysis
    rows: dict[str, dict[str, CaseScore]] = {}
    for score in analysis.scores:
        rows.setdefault(score.case, {})[score.region] = score
    remarks: dict[str, list[str]] = {}
    for case, remark in findings.remarks:
        remarks.setdefault(case, []).append(remark)
    found = []
    for number, (case, scores) in enumerate(rows.items()):
        first = scores[analysis.regions[0]] if analysis.regions[0] in scores else None
        slices = tuple(findings.pictures.get(case, ()))
        found.append(
            {
                "case": case,
                "dice": None if first is None else first.overlap.dice,
                "cells": _case_cells(analysis, scores),
                "slices": slices,
                "classes": [f"s{number}-{k}" for k in range(len(slices))],
                "remarks": remarks.get(case, []),
            }
        )
    return sorted(found, key=lambda one: (one["dice"] is None, one["dice"] or 0.0))


def _case_cells(analysis: Analysis, scores: Mapping[str, CaseScore]) -> list[dict[str, str]]:
    cells = [
        _cell(scores[region].overlap.dice if region in scores else None, 3)
        for region in analysis.regions
    ]
    first = next(iter(scores.values()))
    decimals = 1 if analysis.volume_unit == "ml" else 0
    cells += [_cell(volume, decimals) for volume in volumes(first, analysis.volume_unit)]
    cells += [_cell(metric(first), metric.decimals) for metric in _case_metrics(analysis)]
    free = first.slices
    share = free.false_positive_rate
    text = "" if share is None else f"{free.invented} of {free.free}"
    return [*cells, {"value": "" if share is None else f"{share:.6g}", "text": text}]


def _cell(value: float | None, decimals: int) -> dict[str, str]:
    return {
        "value": "" if value is None else f"{value:.6g}",
        "text": number_text(value, decimals),
    }


def _shown(cases: Sequence[Mapping[str, object]]) -> set[object]:
    """Cases whose pictures are in the page: the worst half, and others evenly to the best."""
    names = [case["case"] for case in cases if case["slices"]]
    if len(names) <= WITH_PICTURES:
        return set(names)
    worst, rest = names[: WITH_PICTURES // 2], names[WITH_PICTURES // 2 :]
    count = WITH_PICTURES - len(worst)
    return {*worst, *(rest[round(k * (len(rest) - 1) / (count - 1))] for k in range(count))}


def _pictures_note(shown: int, cases: int) -> str:
    if not shown or shown == cases:
        return ""
    return f"{shown} of {cases} cases have their slices in this page: the worst, and others evenly."


def _picture_styles(cases: Sequence[Mapping[str, object]]) -> str:
    """The pictures as variables of CSS, each once, whatever number of panels shows it."""
    rules = []
    for case in cases:
        for name, picture in zip(case["classes"], case["slices"], strict=True):  # type: ignore[call-overload]
            image = f"--image:url({picture.image});" if picture.image else ""
            rules.append(
                f".{name}{{{image}--reference:url({picture.reference});"
                f"--predicted:url({picture.predicted});--difference:url({picture.difference});"
                f"--ratio:{picture.ratio:.4f}}}"
            )
    return "\n".join(rules)


def _charts(findings: Findings) -> dict[str, list[dict[str, object]]]:
    """Section -> its charts, drawn into the page."""
    sections: dict[str, list[dict[str, object]]] = {
        name: [] for name in ("charts", "volumes", "strata", "calibration", "training")
    }
    for chart in evaluation_charts(findings.analysis):
        sections[chart.section].append(_inline(chart))
    if findings.curves is not None:
        note = "Dice loss and loss by epoch, on training and validation patients."
        sections["training"].append(
            _inline(NamedFigure("training", "curves", "", note, findings.curves))
        )
    return sections


def _inline(chart: NamedFigure) -> dict[str, object]:
    label = ". ".join(text for text in (chart.title, chart.caption) if text)
    svg = style.inline_svg(chart.figure, chart.stem, label)
    return {"title": chart.title, "caption": chart.caption, "svg": Markup(svg)}  # noqa: S704
