"""Charts of an evaluation: distribution of scores, groups, agreement of volumes, calibration. Each
function returns a figure; none reads or writes a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gliomask.core.regions import REGIONS, Region
from gliomask.report import colours, style
from gliomask.report.numbers import signed_text
from gliomask.statistics.calibration_curve import Calibration
from gliomask.statistics.comparison import PairedDifference
from gliomask.statistics.limits_of_agreement import Agreement, Estimate
from gliomask.statistics.strata import Stratum

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values = Mapping[str, Sequence[float]]
"""Region -> a score of each patient that has one."""


def score_spread(values: Values, label: str, *, share: bool) -> Figure:
    """The scores of all patients: a box with the median, whiskers from the 5th to the 95th
    percentile, and every patient as a point.

    Args:
        values: by region; regions without any are left out.
        label: of the score, with its unit.
        share: whether it lies between 0 and 1.
    """
    rows = [(region, list(scores)) for region, scores in values.items() if scores]
    figure = style.new_figure(6.4, 1.3 + 0.75 * max(len(rows), 1))
    axes = figure.add_subplot()
    for place, (region, scores) in enumerate(reversed(rows)):
        colour = REGIONS[region].colour
        _box(axes, scores, place, colour)
        jitter = np.random.default_rng(0).uniform(-0.16, 0.16, len(scores))
        _points(axes, scores, place + jitter, REGIONS[region])
    names = [REGIONS[region].title for region, _ in reversed(rows)]
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(-0.55, len(rows) - 0.45)
    if share:
        axes.set_xlim(-0.02, 1.02)
    else:
        axes.set_xlim(left=0)
    style.tidy(axes, "", label, "")
    axes.grid(visible=False, axis="y")
    return figure


def score_by_size(points: Mapping[str, Sequence[tuple[float, float]]], unit: str) -> Figure:
    """Dice against the reference's volume, on a logarithmic axis.

    Args:
        points: region -> (volume, Dice) of each patient with both; volumes above 0.
        unit: of the volumes.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator

    figure = style.new_figure(6.4, 4.0)
    axes = figure.add_subplot()
    for region, region_points in points.items():
        if region_points:
            volumes, scores = zip(*region_points, strict=True)
            _points(axes, volumes, scores, REGIONS[region])
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda _value, _: ""))
    axes.set_ylim(-0.02, 1.02)
    style.tidy(axes, "", f"Volume of the reference ({unit})", "Dice")
    _legend(axes)
    return figure


def bland_altman(region_agreement: Agreement, unit: str) -> Figure:
    """Differences of volumes against their means, with the bias, the limits of agreement and the
    95 % intervals of these (shaded).

    Args:
        region_agreement: of one region.
        unit: of its volumes.
    """
    figure = style.new_figure(6.4, 4.0)
    axes = figure.add_subplot()
    means, differences = (
        [getattr(point, name) for point in region_agreement.points]
        for name in ("mean", "difference")
    )
    axes.scatter(means, differences, s=18, color=colours.BLUE, alpha=0.7, linewidths=0, zorder=3)
    limits = region_agreement.absolute
    for estimate, name, dashes in (
        (limits.upper, "upper limit", (5, 3)),
        (limits.bias, "bias", None),
        (limits.lower, "lower limit", (5, 3)),
    ):
        if estimate is not None:
            _line(axes, estimate, name, unit, dashes)
    style.tidy(axes, "", f"Mean of both volumes ({unit})", f"Predicted minus reference ({unit})")
    axes.margins(x=0.16)
    axes.set_xlim(left=0)
    return figure


def forest(strata: Sequence[tuple[str, Sequence[Stratum]]], label: str) -> Figure:
    """The mean score of each stratum with its 95 % interval; the patients behind it as a number.

    Args:
        strata: (what patients are grouped by, its strata).
        label: of the score.
    """
    rows: list[tuple[str, Stratum | None]] = []
    for name, group in strata:
        rows += [(name, None), *((member.label, member) for member in group)]
    figure = style.new_figure(6.4, 0.9 + 0.27 * max(len(rows), 1))
    axes = figure.add_subplot()
    for place, (_, stratum) in enumerate(rows):
        summary = None if stratum is None else stratum.summary
        if summary is None or summary.mean is None:
            continue
        if summary.ci95 is not None:
            axes.plot(summary.ci95, (place, place), color=colours.BLUE, lw=2.2, alpha=0.6)
        axes.scatter([summary.mean], [place], s=26, color=colours.BLUE, zorder=3, linewidths=0)
        axes.annotate(
            f"n = {summary.n}",
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
            color=colours.FAINT,
        )
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], parse_math=False)
    style.tidy(axes, "", f"{label}, mean with 95 % interval", "")
    for tick, (_, stratum) in zip(axes.get_yticklabels(), rows, strict=True):
        tick.set_fontweight("bold" if stratum is None else "normal")
        tick.set_color(colours.INK)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    return figure


def reliability_diagram(curves: Sequence[tuple[str, Calibration]]) -> Figure:
    """The reliability diagram (share of tumour among voxels by the probability that they were
    given), and below it the number of voxels in each bin.

    Args:
        curves: (name, calibration), e.g. before and after the temperature.
    """
    figure = style.new_figure(6.4, 5.0)
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    upper.plot((0, 1), (0, 1), color=colours.FAINT, lw=1, dashes=(4, 3), label="perfect")
    for (name, curve), colour in zip(curves, (colours.BLUE, colours.VERMILION), strict=False):
        bins = [bin_ for bin_ in curve.bins if bin_.confidence is not None]
        upper.plot(
            [bin_.confidence or 0.0 for bin_ in bins],
            [bin_.frequency or 0.0 for bin_ in bins],
            color=colour,
            marker="o",
            ms=4,
            lw=1.6,
            label=name,
        )
        counts = [max(bin_.n, 0.5) for bin_ in curve.bins]
        edges = [curve.bins[0].low, *(bin_.high for bin_ in curve.bins)]
        lower.stairs(counts, edges, color=colour, lw=1.4)
    upper.set_ylim(-0.02, 1.02)
    lower.set_yscale("log")
    lower.set_ylim(bottom=0.8)
    style.tidy(upper, "", "", "Observed frequency of tumour")
    style.tidy(lower, "", "Probability given", "Voxels")
    _legend(upper)
    return figure


def differences(paired: Sequence[PairedDifference], label: str) -> Figure:
    """Paired differences of one score between sets of predictions, with their intervals.

    Args:
        paired: each with a difference.
        label: of the score, with its unit.
    """
    from matplotlib.ticker import MaxNLocator

    figure = style.new_figure(6.4, 1.0 + 0.45 * max(len(paired), 1))
    axes = figure.add_subplot()
    axes.axvline(0, color=colours.FAINT, lw=1, dashes=(4, 3))
    for place, difference in enumerate(paired):
        if difference.ci95 is not None:
            axes.plot(difference.ci95, (place, place), color=colours.BLUE, lw=2.2, alpha=0.6)
        axes.scatter(
            [difference.difference or 0.0],
            [place],
            s=30,
            color=colours.BLUE,
            zorder=3,
            linewidths=0,
        )
    axes.set_yticks(
        range(len(paired)),
        [f"{difference.first} − {difference.second}" for difference in paired],
        parse_math=False,
    )
    axes.set_ylim(len(paired) - 0.5, -0.5)
    style.tidy(axes, "", f"Difference of {label}, mean with 95 % interval", "")
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(7))
    return figure


def _points(
    axes: Axes, x: Sequence[float], y: Sequence[float] | npt.NDArray[np.floating], region: Region
) -> None:
    """A point for each patient, with a rim: some colours of regions are light on paper."""
    axes.scatter(
        x,
        y,
        s=16,
        color=region.colour,
        edgecolors=colours.INK,
        linewidths=0.3,
        alpha=0.8,
        zorder=3,
        label=region.title,
    )


def _box(axes: Axes, scores: Sequence[float], place: float, colour: str) -> None:
    drawn = axes.boxplot(
        scores,
        positions=[place],
        orientation="horizontal",
        widths=0.5,
        whis=(5, 95),
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
    )
    for part in (*drawn["boxes"], *drawn["whiskers"], *drawn["caps"], *drawn["medians"]):
        part.set_color(colour)
        part.set_linewidth(1.2)
    for median in drawn["medians"]:
        median.set_linewidth(2.4)
    for box in drawn["boxes"]:
        box.set_facecolor((*box.get_facecolor()[:3], 0.15))


def _line(
    axes: Axes, estimate: Estimate, name: str, unit: str, dashes: tuple[int, int] | None
) -> None:
    if estimate.ci95 is not None:
        axes.axhspan(*estimate.ci95, color=colours.VERMILION, alpha=0.12, linewidth=0)
    line = axes.axhline(estimate.value, color=colours.VERMILION, lw=1.4)
    if dashes is not None:
        line.set_dashes(dashes)
    axes.annotate(
        f"{name} {signed_text(estimate.value, 0 if unit == 'px' else 1)} {unit}",
        (0.995, estimate.value),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=colours.INK,
    )


def _legend(axes: Axes) -> None:
    if len(axes.get_legend_handles_labels()[0]) > 1:
        axes.legend(frameon=False, fontsize=9, labelcolor=colours.INK)
