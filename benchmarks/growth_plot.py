"""The curves of ``growth`` as a picture: seconds and memory over what grows, both axes in logs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.fits import exponent

if TYPE_CHECKING:
    from benchmarks.growth import Curve

FILE = "growth"


def draw(curves: Sequence[Curve], folder: Path) -> None:
    """Writes ``growth.svg`` and ``growth.png``: a column for each unit."""
    units = list(dict.fromkeys(curve.series.unit for curve in curves))
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
        label = f"{curve.series.name}: exponent {exponent(curve.x, y):.2f}"
        axes.loglog(curve.x, y, marker="o", markersize=4, label=label)
    axes.set_xlabel(f"{curves[0].series.unit}s")
    axes.set_ylabel(what)
    if what != "seconds":
        axes.set_ylim(bottom=50)
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(fontsize=7)
