"""Volumes and diameters over time, and the table of them for a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from gliomask.core.csv_table import Cell, csv_text
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.lesions.change import Change, Threshold
from gliomask.lesions.course import LesionCourse, RegionCourse
from gliomask.lesions.description import LesionReport
from gliomask.lesions.error import Measured

_FIGURES = ("volume_ml", "change_ml", "change_percent", "long_mm", "short_mm", "product_mm2")
_COLUMNS = (
    "time_point",
    "date",
    "region",
    "lesion",
    "parts",
    *(
        f"{name}{end}"
        for name in (*_FIGURES, "product_change_percent")
        for end in ("", "_low", "_high")
    ),
    "volume_error",
    "percent_against_smallest_before",
    "at_least_25_percent_above",
    "percent_against_first",
    "at_least_50_percent_below",
    "measurable",
    "notice",
)


@dataclass(frozen=True)
class Followed:
    """One patient over time.

    Attributes:
        names: of the time points, in order of time.
        dates: of each; None where it is not known.
        courses: one for each region.
        notes: remarks on the whole table.
    """

    names: tuple[str, ...]
    dates: tuple[date | None, ...]
    courses: tuple[RegionCourse, ...]
    notes: tuple[str, ...]

    @property
    def titles(self) -> tuple[str, ...]:
        """Name and date of each time point."""
        pairs = zip(self.names, self.dates, strict=True)
        return tuple(name if day is None else f"{name}, {day}" for name, day in pairs)


def follow_csv(followed: Followed) -> str:
    """A row for each time point and region (lesion ``all``), and for each of its lesions.

    Lesions have the number of the track that they are followed by, or else their own among those
    of their time point, largest first, with a ``t`` and the time point before it: then equal
    numbers mean nothing.
    """
    rows = [
        [followed.names[n], _day(followed.dates[n]), course.region, *cells, RESEARCH_USE_ONLY]
        for course in followed.courses
        for n in range(len(followed.names))
        for cells in (_total_cells(course, n), *_lesion_cells(course, n))
    ]
    return csv_text(_COLUMNS, rows)


def _total_cells(course: RegionCourse, n: int) -> list[Cell]:
    changed, sums = course.volume_changes[n], course.sum_changes[n]
    return [
        "all",
        len(course.lesions[n]),
        *_ends(course.volumes_ml[n]),
        *_change_cells(changed),
        *_ends(None),
        *_ends(None),
        *_ends(course.sums_mm2[n]),
        *_ends(None if sums is None else sums.percent),
        course.volumes_ml[n].method,
        *_threshold_cells(course.thresholds[n]),
        None,
    ]


def _lesion_cells(course: RegionCourse, n: int) -> list[list[Cell]]:
    if course.followed is None:
        return [_own_cells(lesion, n) for lesion in course.lesions[n]]
    return [_track_cells(lesion, n) for lesion in course.followed]


def _track_cells(lesion: LesionCourse, n: int) -> list[Cell]:
    point = lesion.points[n]
    return [
        str(lesion.number),
        point.parts,
        *_ends(point.volume_ml),
        *_change_cells(lesion.changes[n]),
        *_ends(point.long_mm),
        *_ends(point.short_mm),
        *_ends(point.products_mm2),
        *_ends(None),
        point.volume_ml.method,
        *_threshold_cells(()),
        _yes(point.measurable),
    ]


def _own_cells(lesion: LesionReport, n: int) -> list[Cell]:
    return [
        f"t{n + 1}-{lesion.number}",
        1,
        *_ends(lesion.volume_ml),
        *_change_cells(None),
        *_ends(lesion.diameters.long),
        *_ends(lesion.diameters.short),
        *_ends(lesion.diameters.product),
        *_ends(None),
        lesion.volume_ml.method,
        *_threshold_cells(()),
        _yes(lesion.measurable),
    ]


def _change_cells(change: Change | None) -> list[Cell]:
    if change is None:
        return [*_ends(None), *_ends(None)]
    return [*_ends(change.absolute), *_ends(change.percent)]


def _threshold_cells(thresholds: Sequence[Threshold]) -> list[Cell]:
    by_reference = {threshold.compared_with: threshold for threshold in thresholds}
    ordered = [by_reference.get(name) for name in ("smallest before", "first")]
    return [
        cell
        for threshold in ordered
        for cell in (
            (None, None)
            if threshold is None
            else (threshold.percent.value, _yes(threshold.reached))
        )
    ]


def _ends(measured: Measured | None) -> list[Cell]:
    return [None, None, None] if measured is None else [measured.value, measured.low, measured.high]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
