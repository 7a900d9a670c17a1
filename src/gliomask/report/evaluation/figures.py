"""Charts of an evaluation with their captions, for the page and the figures folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gliomask.core.regions import REGIONS
from gliomask.metrics.metric import METRICS
from gliomask.report.evaluation import charts
from gliomask.report.numbers import interval_text, number_text, signed_text
from gliomask.statistics.analysis import Analysis, volumes_of_score
from gliomask.statistics.summary import by_patient

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPREAD = ("dice", "nsd_2mm", "nsd_2px", "hd95_mm", "hd95_px")


Section = Literal["distributions", "volumes", "groups", "calibration", "training"]


@dataclass(frozen=True, eq=False)
class NamedFigure:
    """A chart and what stands around it.

    Attributes:
        section: of the page.
        stem: name of its file.
        title, caption: display texts.
        figure: drawn.
    """

    section: Section
    stem: str
    title: str
    caption: str
    figure: Figure


def evaluation_charts(analysis: Analysis) -> Iterator[NamedFigure]:
    """Every chart that the analysis has figures for."""
    yield from _spreads(analysis)
    yield from _by_size(analysis)
    yield from _agreements(analysis)
    yield from _strata(analysis)
    yield from _calibrations(analysis)


def _spreads(analysis: Analysis) -> Iterator[NamedFigure]:
    for name in _SPREAD:
        if name not in analysis.summary.metrics:
            continue
        metric = METRICS[name]
        values = {}
        for region in analysis.summary.metrics[name]:
            rows = [s for s in analysis.scores if s.region == region]
            scores = by_patient((row.patient, metric(row)) for row in rows)
            values[region] = [score for score in scores if score is not None]
        if not any(values.values()):
            continue
        label = metric.label[0].upper() + metric.label[1:]
        unit = f" ({metric.unit})" if metric.unit else ""
        figure = charts.score_spread(values, f"{label}{unit}", share=not metric.unit)
        caption = "Each point is a patient; the box contains the middle half, the whiskers 90 %."
        yield NamedFigure("distributions", f"spread_{name}", f"{label}{unit}", caption, figure)


def _by_size(analysis: Analysis) -> Iterator[NamedFigure]:
    unit = analysis.volume_unit
    points = {
        region: [
            (volumes_of_score(row, unit)[0], row.overlap.dice)
            for row in analysis.scores
            if row.region == region and row.overlap.reference and row.overlap.dice is not None
        ]
        for region in analysis.regions
    }
    if any(points.values()):
        figure = charts.score_by_size(points, unit)
        caption = "Each point a case. The same error reduces the Dice of a small tumour more."
        yield NamedFigure("distributions", "dice_by_size", "Dice by tumour size", caption, figure)


def _agreements(analysis: Analysis) -> Iterator[NamedFigure]:
    unit = analysis.volume_unit
    for region, region_agreement in analysis.agreement.items():
        bias, lower, upper = (
            region_agreement.absolute.bias,
            region_agreement.absolute.lower,
            region_agreement.absolute.upper,
        )
        if bias is None:
            continue
        digits = 0 if unit == "px" else 1
        caption = (
            f"Bias {signed_text(bias.value, digits)} {unit} {interval_text(bias.ci95, digits)}"
        )
        if lower is not None and upper is not None:
            ends = (lower.value, upper.value)
            caption += f", limits of agreement {interval_text(ends, digits)} {unit}"
        if region_agreement.concordance is not None:
            caption += f", Lin's concordance {region_agreement.concordance:.3f}"
        caption += f"; {region_agreement.n} patients. Shaded: 95 % intervals."
        title = f"Bland-Altman, {REGIONS[region].title}"
        figure = charts.bland_altman(region_agreement, unit)
        yield NamedFigure("volumes", f"bland_altman_{region}", title, caption, figure)


def _strata(analysis: Analysis) -> Iterator[NamedFigure]:
    groups = [(name, strata.strata) for name, strata in analysis.strata.items()]
    if groups:
        region = REGIONS[analysis.regions[0]].title
        figure = charts.forest(groups, f"Dice of the {region}")
        notes = [f"{name}: {s.note}" for name, s in analysis.strata.items() if s.note]
        yield NamedFigure("groups", "strata", "Dice by group", ". ".join(notes), figure)


def _calibrations(analysis: Analysis) -> Iterator[NamedFigure]:
    for region, curves in analysis.calibration.items():
        texts = [
            f"{name}: ECE {number_text(curve.ece, 4)}, Brier {number_text(curve.brier, 4)}"
            for name, curve in curves
        ]
        caption = "; ".join(texts) + ". Voxels within the crop to the head, of annotated slices."
        title = f"Reliability, {REGIONS[region].title}"
        figure = charts.reliability_diagram(curves)
        yield NamedFigure("calibration", f"reliability_{region}", title, caption, figure)
