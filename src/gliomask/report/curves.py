"""Training curves: loss and Dice loss, by epoch and by iteration, from the two tables of a run.

They are the same as those of the original project.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gliomask.errors import FormatError, InputError
from gliomask.provenance.run_files import FIGURES, HISTORY, ITERATIONS
from gliomask.report import colours, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Column = npt.NDArray[np.float64]
HistoryColumns = Mapping[str, Column]

_COLOURS = {"train": colours.BLUE, "validation": colours.RED}
_KINDS = {"dice_loss": "Dice loss", "loss": "Loss"}
_HISTORY = ("epoch", *(f"{part}_{kind}" for part in _COLOURS for kind in _KINDS))
_ITERATIONS = ("epoch", "iteration", *_KINDS)
_POINTS = 1000
"""Maximum number of points of a line; longer ones are averaged over so many intervals."""


@dataclass(frozen=True)
class _Curve:
    """One of the four curves: name of its file and function that draws it."""

    stem: str
    draw: Callable[[Axes], None]


def draw_curves(run: Path, note: str = "") -> list[Path]:
    """Draw ``run/history.csv`` and ``run/iterations.csv`` into ``run/figures``.

    An empty cell is a value that was not measured and leaves a gap. A run without an iterations
    table gets the curves by epoch only.

    Args:
        run: a run folder.
        note: remark on the data, e.g. its name and that it is synthetic; shown
            below each figure.

    Returns:
        the files written, each as PNG and SVG: epoch_dice_loss, epoch_loss, iteration_dice_loss,
        iteration_loss, and curves, the sheet of them all.

    Raises:
        InputError: there is no history table.
        FormatError: a table lacks a column, or a cell is not a number.
    """
    curves = _by_epochs(run)
    if (run / ITERATIONS).is_file():
        parts = _by_part(run / ITERATIONS)
        curves += [_Curve(f"iteration_{k}", partial(_by_iteration, parts, k)) for k in _KINDS]
    written = []
    for curve in curves:
        written += _draw([curve], run / FIGURES / curve.stem, note)
    return written + _draw(curves, run / FIGURES / "curves", note)


def epoch_curves(run: Path) -> Figure:
    """The two curves by epoch side by side.

    Raises:
        InputError, FormatError: as ``draw_curves``.
    """
    return _sheet(_by_epochs(run))


def _by_epochs(run: Path) -> list[_Curve]:
    history = _columns(run / HISTORY, _rows(run / HISTORY), _HISTORY)
    return [_Curve(f"epoch_{kind}", partial(_by_epoch, history, kind)) for kind in _KINDS]


def _sheet(curves: Sequence[_Curve]) -> Figure:
    rows, columns = _shape(curves)
    figure = style.new_figure(5.8 * columns, 3.8 * rows + 0.2)
    for place, curve in enumerate(curves, start=1):
        curve.draw(figure.add_subplot(rows, columns, place))
    return figure


def _shape(curves: Sequence[_Curve]) -> tuple[int, int]:
    """(rows, columns) of a sheet."""
    columns = min(2, len(curves))
    return -(-len(curves) // columns), columns


def _draw(curves: Sequence[_Curve], stem: Path, note: str) -> list[Path]:
    figure = _sheet(curves)
    style.fix_margins(figure, *_shape(curves), style.foot(figure, note))
    return style.save(figure, stem, ("png", "svg"))


def _by_epoch(history: HistoryColumns, kind: str, axes: Axes) -> None:
    epoch = history["epoch"]
    marker = "o" if epoch.size <= 30 else ""
    for part, colour in _COLOURS.items():
        values = history[f"{part}_{kind}"]
        if np.isfinite(values).any():
            axes.plot(epoch, values, color=colour, lw=1.8, marker=marker, ms=3.5, label=part)
    _finish(axes, kind, "epoch")


def _by_iteration(parts: Mapping[str, HistoryColumns], kind: str, axes: Axes) -> None:
    """Each batch's value as a faint line; strong: the running mean, or each validation's mean."""
    for part, table in parts.items():
        colour, iteration, values = _COLOURS[part], _on_training(parts, part), table[kind]
        axes.plot(_thin(iteration), _thin(values), color=colour, lw=0.6, alpha=0.25)
        if part == "train":
            mean = _running_mean(_thin(values))
            axes.plot(_thin(iteration), mean, color=colour, lw=1.8, label=part)
        else:
            ends, means = _epoch_means(table["epoch"], iteration, values)
            axes.plot(ends, means, color=colour, lw=1.8, marker="o", ms=3.5, label=part)
    _finish(axes, kind, "iteration")
    axes.set_xlabel("Iteration (faint: each batch, strong: means)")


def _on_training(parts: Mapping[str, HistoryColumns], part: str) -> Column:
    """Iterations counted in steps of the training, over which a validation's batches spread."""
    own, training = parts[part]["iteration"], parts.get("train", parts[part])["iteration"]
    return own * float(training.max() / own.max())


def _epoch_means(epoch: Column, iteration: Column, values: Column) -> tuple[Column, Column]:
    """End of each epoch, and the mean of its values."""
    each = [epoch == epoch_number for epoch_number in np.unique(epoch)]
    return (
        np.array([iteration[selected].max() for selected in each]),
        np.array([values[selected].mean() for selected in each]),
    )


def _finish(axes: Axes, kind: str, by: str) -> None:
    from matplotlib.ticker import MaxNLocator

    name = _KINDS[kind]
    style.tidy(axes, f"{name} by {by}", by.capitalize(), name)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=True))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9, labelcolor=colours.INK)


def _running_mean(values: Column) -> Column:
    """The mean over a twenty-fifth of the curve around each point, less of it at the ends."""
    window = np.ones(max(1, values.size // 25))
    total = np.convolve(values, window, mode="same")
    mean: Column = total / np.convolve(np.ones(values.size), window, mode="same")
    return mean


def _thin(values: Column) -> Column:
    if values.size <= _POINTS:
        return values
    return np.array([stretch.mean() for stretch in np.array_split(values, _POINTS)])


def _by_part(path: Path) -> dict[str, HistoryColumns]:
    """The iterations table, cut into its parts; a part without rows is left out."""
    rows = _rows(path)
    parts = {part: [row for row in rows if row.get("part") == part] for part in _COLOURS}
    unknown = len(rows) - sum(map(len, parts.values()))
    if unknown:
        raise FormatError(f"{unknown} rows of no known part", path=path, allowed=", ".join(parts))
    return {
        part: _columns(path, part_rows, _ITERATIONS)
        for part, part_rows in parts.items()
        if part_rows
    }


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as problem:
        raise InputError(f"can't be read: {problem.strerror}", path=path) from None
    except (UnicodeDecodeError, csv.Error):
        raise FormatError("not a CSV table", path=path) from None


def _columns(path: Path, rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> HistoryColumns:
    """The columns of a table as numbers, NaN where a cell is empty."""
    if not rows:
        raise FormatError("the table has no rows", path=path)
    missing = [name for name in names if name not in rows[0]]
    if missing:
        raise FormatError("the table lacks a column", path=path, field="column", found=missing[0])
    return {name: np.array([_number(row[name], path, name) for row in rows]) for name in names}


def _number(text: str | None, path: Path, column: str) -> float:
    try:
        return float(text) if text else float("nan")
    except ValueError:
        raise FormatError("not a number", path=path, field=column, found=text) from None
