"""Plot of the curves of ``growth``: seconds and memory, with logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from benchmarks.growth.curve import Curve
from benchmarks.growth.fits import grow

FILE = "growth"
_LEAST_SPAN = 10.0
"""Largest by smallest of an axis: what hardly changes is drawn flat."""


def draw(curves: Sequence[Curve], folder: Path) -> None:
    """Writes ``growth.svg`` and ``growth.png``: a column for each unit.

    Without curves, nothing is drawn.
    """
    units = list(dict.fromkeys(curve.series.unit for curve in curves))
    if not units:
        return
    figure = Figure(figsize=(3.8 * len(units), 7), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, len(units), squeeze=False)
    for column, unit in enumerate(units):
        own = [curve for curve in curves if curve.series.unit == unit]
        _panel(panels[0][column], own, "seconds")
        _panel(panels[1][column], own, "peak MiB")
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"{FILE}.{suffix}", dpi=110)


def _panel(axes: Axes, curves: Sequence[Curve], what: str) -> None:
    for curve in curves:
        y = curve.seconds if what == "seconds" else curve.peaks
        label = f"{curve.series.name}: {grow(curve.x, y).last_exponent:.2f}"
        (line,) = axes.loglog(curve.x, y, marker="o", markersize=4, label=label)
        linear = [y[-1] * x / curve.x[-1] for x in curve.x]
        axes.loglog(curve.x, linear, linestyle=":", linewidth=1, color=line.get_color())
    values = [y for curve in curves for y in (curve.seconds if what == "seconds" else curve.peaks)]
    axes.set_ylim(*_limits(min(values), max(values)))
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    widest = max(curves, key=lambda curve: len(curve.x))
    axes.set_xticks(widest.x, [f"{value:,}" for value in widest.series.values], fontsize=7)
    axes.set_xticks([], minor=True)
    unit = widest.series.unit
    axes.set_xlabel("side of a slice, pixels (spaced by area)" if unit == "pixel" else f"{unit}s")
    axes.set_ylabel(what)
    axes.grid(visible=True, which="major", alpha=0.3)
    title = "exponent of the larger half; dotted: 1"
    axes.legend(fontsize=7, title=title, title_fontsize=7, loc="upper left")


def _limits(low: float, high: float) -> tuple[float, float]:
    """Limits of an axis: a span of at least ``_LEAST_SPAN``, with room for the legend on top."""
    wider = max(1.0, (_LEAST_SPAN / (high / low)) ** 0.5)
    return low / wider / 1.3, high * wider * 2.5
