"""Terminal output of results and progress: results on stdout, progress on stderr."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.table import Table
from rich.text import Text

from gliomask.cli.spelling import spelled
from gliomask.core.counted import counted
from gliomask.core.extras import has_extra, install_hint
from gliomask.errors import GliomaskError, printable
from gliomask.jobs.control import Control, Progress
from gliomask.jobs.signals import stop_on_signals

if TYPE_CHECKING:
    from gliomask.metrics.slicewise import SliceScore
    from gliomask.report.follow.table import Followed
    from gliomask.statistics.comparison import Comparison
    from gliomask.statistics.evaluation_summary import EvaluationSummary
    from gliomask.statistics.summary import Summary
    from gliomask.statistics.temperature import Temperature
    from gliomask.workflows.evaluate import EvaluateResult
    from gliomask.workflows.score import ScoreResult

Result = TypeVar("Result")
_EVERY_S = 5.0
"""Minimum seconds between progress lines without a terminal."""
_NAME = 26
"""Length in characters up to which the name in the first column of a table is not wrapped."""
_WIDE = 150
"""Width in characters from which a column of a grouped table is not grouped."""


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table without its empty columns; cells are plain text, not markup.

    No text is cut off in a narrow terminal: cells are wrapped, those of the first column last.
    """
    cells = [list(map(_cell, row)) for row in rows]
    shown = [n for n in range(len(columns)) if not cells or any(row[n].plain for row in cells)]
    grid = Table(title=_cell(title), title_justify="left", header_style="bold")
    for n in shown:
        longest = max((len(row[n]) for row in cells), default=0)
        grid.add_column(columns[n], overflow="fold", no_wrap=n == 0 and longest <= _NAME)
    for row in cells:
        grid.add_row(*(row[n] for n in shown))
    _console().print(grid)


def grouped_table(
    title: str, groups: Sequence[Sequence[str]], rows: Iterable[Sequence[object]]
) -> None:
    """Print a table; in a narrow terminal, the cells of a group of columns are stacked. Rows have a
    plain-text cell for each column."""
    console = _console()
    wide = console.width >= _WIDE
    if wide:
        groups = [[column] for group in groups for column in group]
    grid = Table(title=_cell(title), title_justify="left", header_style="bold", show_lines=not wide)
    for group in groups:
        grid.add_column("\n".join(group), overflow="fold")
    for row in rows:
        cells = iter(row)
        grouped = [[_cell(next(cells)) for _ in group] for group in groups]
        grid.add_row(*(Text("\n").join(filter(None, group)) for group in grouped))
    console.print(grid)


def listing(rows: Iterable[Sequence[object]], width: int | None = None) -> None:
    """Print rows without lines between them; cells are plain text.

    The first cell is only shown if it differs from the one above, after an empty line. Cells
    are wrapped to the width, at most that of the terminal.
    """
    grid = Table.grid(padding=(0, 2))
    above: object = None
    for first, *others in rows:
        new = first != above
        if new and above is not None:
            grid.add_row()
        grid.add_row(Text(str(first) if new else "", "bold"), *map(_cell, others))
        above = first
    console = _console()
    console.print(grid, width=min(console.width, width or console.width))


def scores(what: str, summary: EvaluationSummary) -> None:
    """Print the Dice of an evaluation, its other scores, and the policy for empty masks."""
    rows = []
    for region, dice in summary.metrics["dice"].items():
        figures = (dice.mean, dice.median, dice.p10, dice.min)
        interval = "" if dice.ci95 is None else " to ".join(_figure(end) for end in dice.ci95)
        rows.append([region, dice.n, dice.n_empty, *map(_figure, figures), interval])
    columns = [
        "Dice of",
        "patients",
        "both empty",
        "mean",
        "median",
        "p10",
        "min",
        "95 % CI of mean",
    ]
    table(what, columns, rows)
    other = list(_other_scores(summary))
    if other:
        table("Other scores: median (mean)", ["", *summary.metrics["dice"]], other)
    lines(summary.policy)


def _other_scores(summary: EvaluationSummary) -> Iterator[Sequence[str]]:
    """A row for each score that a patient has, with a cell for each region."""
    from gliomask.metrics.metric import METRICS

    regions = list(summary.metrics["dice"])
    for name in ("hd95_mm", "hd95_px", "nsd_2mm", "nsd_2px", "lesion_dice"):
        metric, of_region = METRICS[name], summary.metrics.get(name, {})
        if any(score.n for score in of_region.values()):
            unit = f", {metric.unit}" if metric.unit else ""
            cells = (_middle(of_region.get(name), metric.decimals) for name in regions)
            yield [f"{metric.label}{unit}", *cells]
    if any(slices.free for slices in summary.slices.values()):
        free = (summary.slices.get(region) for region in regions)
        yield ["tumour-free slices with false positives", *map(_false_positives, free)]


def warnings_and_paths(result: EvaluateResult | ScoreResult, *, read: bool) -> None:
    """Print suspicious cases, the path of the report if there is one, and warnings."""
    for case, remark in result.remarks:
        lines(f"REVIEW {case}: {remark}")
    if result.resumed:
        lines(f"{counted(result.resumed, 'case')} already scored by an interrupted run")
    if read and not has_extra("matplotlib"):
        lines(f"without charts: they need matplotlib; {install_hint('matplotlib')}")
    report = f", open: {result.out / 'report.html'}" if read else ""
    lines(f"written to {result.out}{report}")
    lines(*(f"WARNING: {text}" for text in result.warnings))


def comparison(compared: Comparison) -> None:
    """Print the paired differences of a comparison, and the patients that are not in every set."""
    from gliomask.report.evaluation.comparison import COLUMNS, comparison_rows

    table(", ".join(compared.sets), COLUMNS, comparison_rows(compared))
    for absent in compared.absent:
        lines(f"{absent.patient} is not in {', '.join(absent.missing_from)}")


def courses(followed: Followed) -> None:
    """Print volumes and sums of products over time, with notes."""
    from gliomask.core.regions import REGIONS
    from gliomask.report.follow.page import REGION_COLUMNS, region_rows, threshold_lines

    for course in followed.courses:
        table(REGIONS[course.region].title, REGION_COLUMNS, region_rows(followed, course))
        lines(*threshold_lines(followed, course))
    lines(*followed.notes)


def temperature(fitted: Temperature, patients: str) -> None:
    """Print a fitted temperature, its patients, and the calibration error before and after."""
    lines(f"temperature {fitted.value:.3f}, fitted on {patients}")
    if fitted.ece_before is not None and fitted.ece_after is not None:
        lines(f"expected calibration error {fitted.ece_before:.4f} -> {fitted.ece_after:.4f}")
    if fitted.reason:
        lines(f"NOTE: {fitted.reason}")


def lines(*texts: str) -> None:
    """Prints lines of text."""
    for text in texts:
        typer.echo("\n".join(map(printable, spelled(text).split("\n"))))


def as_json(result: Any) -> None:
    """Prints a dataclass or plain values as JSON."""
    typer.echo(json.dumps(result, indent=1, default=plain))


def problems(rows_of_problems: Sequence[tuple[str, str]], what: str) -> None:
    """Print (case, reason) pairs on stderr, if there are any."""
    if rows_of_problems:
        typer.echo(f"{counted(len(rows_of_problems), 'case')} {what}:", err=True)
        for case, reason in rows_of_problems:
            text = printable(spelled(f"{case}: {reason.removeprefix(f'{case}: ')}"))
            typer.echo(f"  {text}", err=True)


@contextmanager
def control() -> Iterator[Control]:
    """Show progress on stderr; Ctrl-C and SIGTERM request a stop."""
    with stop_on_signals() as stop_requested, _progress() as progress:
        yield Control(progress, stop_requested)


def run_and_show(
    use_case: Callable[[Control], Result], kind: type[Result], show: Callable[[Result], None]
) -> None:
    """Run a use case with a display of its progress, and show its result.

    If cases failed, the result that the error carries is shown before the error is raised.

    Args:
        use_case: function that returns the result.
        kind: class of the result.
        show: prints the result.
    """
    try:
        with control() as progress:
            result = use_case(progress)
    except GliomaskError as failed:
        if isinstance(failed.result, kind):
            show(failed.result)
        raise
    show(result)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Progress display: a bar in a terminal, otherwise plain lines at intervals."""
    console = _Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    with RichProgress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    ) as bar:
        yield _Bar(bar)


class _Bar:
    def __init__(self, bar: RichProgress) -> None:
        self._bar = bar
        self._task = None if not bar.task_ids else bar.task_ids[-1]
        self._done = 0.0

    def start(self, total: float, what: str) -> None:
        self._task, self._done = self._bar.add_task(what, total=total, note=""), 0.0

    def advance(self, steps: float = 1, note: str = "") -> None:
        if self._task is not None:
            self._done += steps
            self._bar.update(self._task, completed=round(self._done, 6))
            if note:
                self._bar.update(self._task, note=note)


class _Lines:
    def __init__(self) -> None:
        self._what, self._total, self._done = "", 0.0, 0.0
        self._note, self._spoke = "", 0.0

    def start(self, total: float, what: str) -> None:
        self._what, self._total, self._done, self._note = what, total, 0, ""
        self._spoke = time.monotonic()

    def advance(self, steps: float = 1, note: str = "") -> None:
        self._done, self._note = self._done + steps, note or self._note
        if time.monotonic() - self._spoke > _EVERY_S:
            self._spoke = time.monotonic()
            text = f"{self._what}: {_steps(self._done)} of {self._total:g} {self._note}".rstrip()
            sys.stderr.write(text + "\n")
            sys.stderr.flush()


def _steps(done: float) -> str:
    """Number of completed steps as text: integers, or two decimals for partial steps."""
    return f"{done:.2f}" if done < 10 and round(done, 2) % 1 else f"{done:.0f}"


def _figure(value: float | None, decimals: int = 3) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def _middle(score: Summary | None, decimals: int) -> str:
    """Median, and mean in brackets; empty without a patient."""
    if not score or not score.n:
        return ""
    return f"{_figure(score.median, decimals)} ({_figure(score.mean, decimals)})"


def _false_positives(slices: SliceScore | None) -> str:
    """Share of the tumour-free slices in which tumour is marked, and their number."""
    if slices is None or slices.false_positive_rate is None:
        return ""
    return f"{100 * slices.false_positive_rate:.1f} % of {slices.free}"


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    return Text("" if value is None else printable(spelled(str(value))))


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Ignore a closed pipe; Rich would end the process with an error."""
        raise BrokenPipeError


def _console() -> Console:
    wide = _Console()
    return wide if wide.is_terminal else _Console(width=160)


def plain(value: object) -> object:
    """Convert a value that JSON has no type for."""
    if isinstance(value, Path):
        return str(value)
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    tolist = getattr(value, "tolist", None)
    return tolist() if tolist is not None else str(value)
