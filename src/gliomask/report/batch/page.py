"""Page of a batch: a table to sort and search, outliers, links to the cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final
from urllib.parse import quote

from gliomask.core.regions import REGIONS
from gliomask.core.reliability import LEVELS, Level
from gliomask.report.batch.outliers import outliers
from gliomask.report.numbers import interval_text, number_text
from gliomask.report.package_files import package_text
from gliomask.report.page import Assets, render

MAX_ROWS: Final = 20_000
"""Longer tables make a browser wait; the table of all is ``cases.csv``."""


@dataclass(frozen=True, slots=True)
class BatchCase:
    """A case as a row of the page.

    Attributes:
        case: its id.
        state: its state.
        page: name of its page in the same folder; empty if it has none.
        level: of its flag; None if it has no flag.
        volumes_ml: of each region in the page's order, None where there are no millimetres.
        intervals_ml: of each region, None where none was measured.
        voxels: of each region.
        missing: sequences of the model that were not given.
        remark: the reason of a flag or a failure.
    """

    case: str
    state: str
    page: str = ""
    level: Level | None = None
    volumes_ml: tuple[float | None, ...] = ()
    intervals_ml: tuple[tuple[float, float] | None, ...] = ()
    voxels: tuple[int, ...] = ()
    missing: str = ""
    remark: str = ""


@dataclass(frozen=True)
class _Row:
    case: str
    link: str
    state: str
    level: str
    sizes: tuple[tuple[str, str, str], ...]
    unusual: str
    missing: str
    remark: str


def batch_page(cases: Sequence[BatchCase], regions: Sequence[str], model: str) -> str:
    """HTML of the page.

    Args:
        cases: of the batch; those that need a person come first on the page.
        regions: regions of the model.
        model: its name.
    """
    unusual = outliers([case.volumes_ml for case in cases])
    order = sorted(range(len(cases)), key=lambda n: _urgency(cases[n], unusual.get(n, "")))
    rows_shown = order[:MAX_ROWS]
    context = {
        "tiles": _tiles(cases, len(unusual)),
        "regions": [REGIONS[region].title for region in regions],
        "rows": _rows(cases, rows_shown, unusual, len(regions)),
        "count": len(cases),
        "left_out": len(cases) - len(rows_shown),
        "model": model,
        "version": version("gliomask"),
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    assets = Assets(
        styles=(package_text("static/evaluation.css"),),
        scripts=(package_text("static/evaluation.js"),),
    )
    return render("batch.html.j2", context, assets)


def _urgency(case: BatchCase, unusual: str) -> tuple[int, int, bool, str]:
    """Sort key of a case: the most urgent for review has the smallest."""
    state = ("failed", "missing", "done").index(case.state)
    level = -LEVELS.index(case.level) if case.level else 1
    return state, level, not unusual, case.case


def _tiles(cases: Sequence[BatchCase], unusual: int) -> list[tuple[str, int]]:
    states = Counter(case.state for case in cases)
    levels = Counter(case.level for case in cases if case.level)
    counts = [("done", states["done"]), ("failed", states["failed"])]
    counts += [("not done yet", states["missing"])] if states["missing"] else []
    counts += [(f"flag {level}", levels[level]) for level in reversed(LEVELS)]
    return [*counts, ("unusual volume", unusual)]


def _rows(
    cases: Sequence[BatchCase], order: Sequence[int], unusual: dict[int, str], regions: int
) -> Iterator[_Row]:
    for n in order:
        case = cases[n]
        yield _Row(
            case=case.case,
            link=quote(case.page),
            state={"missing": "not done yet"}.get(case.state, case.state),
            level=case.level or "",
            sizes=tuple(_size(case, k) for k in range(regions)),
            unusual=unusual.get(n, ""),
            missing=case.missing,
            remark=case.remark,
        )


def _size(case: BatchCase, k: int) -> tuple[str, str, str]:
    """Sort value, text and interval."""
    if k >= len(case.voxels):
        return "", "", ""
    volume, interval = case.volumes_ml[k], case.intervals_ml[k]
    if volume is None:
        return str(case.voxels[k]), f"{case.voxels[k]:,} px", ""
    return f"{volume:.4f}", number_text(volume, 1), interval_text(interval, 1)
