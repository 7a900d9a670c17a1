"""Volumes and diameters over time: the table of a spreadsheet, and a page for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version

from markupsafe import Markup

from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.evaluation.tables import Cell, csv_text
from gliomask.measure.change import Change, Threshold
from gliomask.measure.course import LesionCourse, LesionPoint, RegionCourse
from gliomask.measure.description import LesionReport
from gliomask.measure.error import Measured
from gliomask.report import style
from gliomask.report.evaluation_tables import TextTable
from gliomask.report.follow_chart import volume_course
from gliomask.report.numbers import interval_text, number_text, signed_text
from gliomask.report.page import Assets, read_text, render

REGION_COLUMNS = (
    "time point",
    "volume (ml)",
    "since the first (ml)",
    "since the first (%)",
    "sum of products (mm²)",
    "since the first (%)",
)
_LESION_COLUMNS = (
    "lesion",
    "time point",
    "volume (ml)",
    "since the first (ml)",
    "long (mm)",
    "short (mm)",
    "product (mm²)",
    "measurable by size",
)
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
_CAPTION = (
    "In brackets: the error of each figure, see below. The sum of products is that of the longest "
    "diameter in a slice and the longest one perpendicular to it, "
)
_SUMMED = {
    True: "over the lesions that are measurable by size at any time point, five at most.",
    False: "over the lesions that are measurable by size at that time point, five at most.",
}


@dataclass(frozen=True)
class Followed:
    """One patient over time.

    Attributes:
        names: of the time points, in order of time.
        dates: of each; all None where they are not known.
        courses: one for each region.
        notes: what is to be known about all this.
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


def region_rows(found: Followed, course: RegionCourse) -> tuple[tuple[str, ...], ...]:
    """A row of text for each time point, in the order of ``REGION_COLUMNS``."""
    return tuple(
        (
            title,
            measured_text(course.volumes_ml[n], 1),
            change_text(course.volume_changes[n], 1),
            percent_text(course.volume_changes[n]),
            measured_text(course.sums_mm2[n], 0),
            percent_text(course.sum_changes[n]),
        )
        for n, title in enumerate(found.titles)
    )


def threshold_lines(found: Followed, course: RegionCourse) -> tuple[str, ...]:
    """How the sum of products stands beside RANO's thresholds, a line for each time point but the
    first."""
    return tuple(
        f"{title}: {'; '.join(map(threshold_text, course.thresholds[n]))}"
        for n, title in enumerate(found.titles)
        if course.thresholds[n]
    )


def follow_page(found: Followed) -> str:
    """The page's HTML."""
    context = {
        "titles": found.titles,
        "notes": found.notes,
        "parts": [_part(found, course) for course in found.courses],
        "methods": sorted({one.method for course in found.courses for one in course.volumes_ml}),
        "version": version("gliomask"),
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    styles = (read_text("static/evaluation.css"),)
    return render("follow.html.j2", context, Assets(styles=styles, style_attributes=True))


def follow_csv(found: Followed) -> str:
    """A row for each time point and region (lesion ``all``), and for each of its lesions.

    Lesions have the number of the track that they are followed by, or else their own among those
    of their time point, largest first, with a ``t`` and the time point before it: then equal
    numbers mean nothing.
    """
    rows = [
        [found.names[n], _day(found.dates[n]), course.region, *cells, RESEARCH_USE_ONLY]
        for course in found.courses
        for n in range(len(found.names))
        for cells in (_total_cells(course, n), *_lesion_cells(course, n))
    ]
    return csv_text(_COLUMNS, rows)


def measured_text(found: Measured | None, decimals: int) -> str:
    """A figure with its error in brackets."""
    if found is None:
        return number_text(None, 0)
    ends = interval_text((found.low, found.high), decimals)
    return f"{number_text(found.value, decimals)} {ends}"


def change_text(found: Change | None, decimals: int) -> str:
    """A difference with its error; a dash for the first time point."""
    return number_text(None, 0) if found is None else _signed(found.absolute, decimals)


def percent_text(found: Change | None) -> str:
    """The same as a percentage; a dash too where there was nothing before."""
    if found is None or found.percent is None:
        return number_text(None, 0)
    return _signed(found.percent, 0)


def threshold_text(one: Threshold) -> str:
    """A percentage beside its threshold, and whether it reaches it."""
    change = signed_text(one.percent.value, 0)
    limit = signed_text(one.threshold_percent, 0)
    said = "reached" if one.reached else "not reached"
    unsure = ", but the threshold lies within the error" if one.within_error else ""
    return f"{change} % against the {one.compared_with} (threshold {limit} %: {said}{unsure})"


def _part(found: Followed, course: RegionCourse) -> dict[str, object]:
    name = style.REGION_NAMES[course.region]
    figure = volume_course(course, found.titles, found.dates)
    svg = style.inline_svg(figure, f"volume_{course.region}", f"Volume of the {name} over time")
    lesions = _followed_rows(found, course) if course.followed else _found_rows(found, course)
    return {
        "title": f"{name[0].upper()}{name[1:]}",
        "table": TextTable(
            _CAPTION + _SUMMED[course.followed is not None],
            REGION_COLUMNS,
            region_rows(found, course),
        ),
        "thresholds": threshold_lines(found, course),
        "chart": Markup(svg),  # noqa: S704
        "lesions": TextTable("", _LESION_COLUMNS, tuple(lesions)),
        "matched": course.followed is not None,
    }


def _followed_rows(found: Followed, course: RegionCourse) -> list[tuple[str, ...]]:
    return [
        (str(lesion.number), title, *_point_texts(lesion.points[n], lesion.changes[n]))
        for lesion in course.followed or ()
        for n, title in enumerate(found.titles)
    ]


def _found_rows(found: Followed, course: RegionCourse) -> list[tuple[str, ...]]:
    return [
        (
            str(lesion.number),
            title,
            measured_text(lesion.volume_ml, 1),
            number_text(None, 0),
            *_diameter_texts(lesion.diameters.long, lesion.diameters.short),
            measured_text(lesion.diameters.product, 0),
            "yes" if lesion.measurable else f"no: {lesion.why_not}",
        )
        for n, title in enumerate(found.titles)
        for lesion in course.lesions[n]
    ]


def _point_texts(point: LesionPoint, changed: Change | None) -> tuple[str, ...]:
    pieces = f" in {point.parts} pieces" if point.parts > 1 else ""
    return (
        f"{measured_text(point.volume_ml, 1)}{pieces}" if point.parts else "not found",
        change_text(changed, 1),
        *_diameter_texts(point.long_mm, point.short_mm),
        measured_text(point.products_mm2, 0),
        ("yes" if point.measurable else "no") if point.parts else "",
    )


def _diameter_texts(long: Measured | None, short: Measured | None) -> tuple[str, str]:
    return measured_text(long, 1), measured_text(short, 1)


def _signed(found: Measured, decimals: int) -> str:
    ends = interval_text((found.low, found.high), decimals)
    return f"{signed_text(found.value, decimals)} {ends}"


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


def _change_cells(found: Change | None) -> list[Cell]:
    if found is None:
        return [*_ends(None), *_ends(None)]
    return [*_ends(found.absolute), *_ends(found.percent)]


def _threshold_cells(found: Sequence[Threshold]) -> list[Cell]:
    held = {one.compared_with: one for one in found}
    ordered = [held.get(name) for name in ("smallest before", "first")]
    return [
        cell
        for one in ordered
        for cell in ((None, None) if one is None else (one.percent.value, _yes(one.reached)))
    ]


def _ends(found: Measured | None) -> list[Cell]:
    return [None, None, None] if found is None else [found.value, found.low, found.high]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
