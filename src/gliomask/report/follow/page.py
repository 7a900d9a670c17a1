"""Volumes and diameters over time as a page, and the rows of its tables."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version

from markupsafe import Markup

from gliomask.core.regions import REGIONS
from gliomask.lesions.change import Change, Threshold
from gliomask.lesions.course import LesionPoint, RegionCourse
from gliomask.lesions.error import Measured
from gliomask.report import style
from gliomask.report.evaluation.tables import TextTable
from gliomask.report.follow.chart import volume_course
from gliomask.report.follow.table import Followed
from gliomask.report.numbers import interval_text, number_text, signed_text
from gliomask.report.package_files import package_text
from gliomask.report.page import Assets, render

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
_CAPTION = (
    "In brackets: the error of each value, see below. The sum of products is that of the longest "
    "diameter in a slice and the longest one perpendicular to it, "
)
_SUMMED = {
    True: "over the lesions that are measurable by size at any time point, five at most.",
    False: "over the lesions that are measurable by size at that time point, five at most.",
}


def region_rows(followed: Followed, course: RegionCourse) -> tuple[tuple[str, ...], ...]:
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
        for n, title in enumerate(followed.titles)
    )


def threshold_lines(followed: Followed, course: RegionCourse) -> tuple[str, ...]:
    """Comparison of the sum of products with the RANO thresholds, one line per time point but the
    first."""
    return tuple(
        f"{title}: {'; '.join(map(threshold_text, course.thresholds[n]))}"
        for n, title in enumerate(followed.titles)
        if course.thresholds[n]
    )


def follow_page(followed: Followed) -> str:
    """The page's HTML."""
    context = {
        "titles": followed.titles,
        "notes": followed.notes,
        "parts": [_part(followed, course) for course in followed.courses],
        "methods": sorted(
            {volume.method for course in followed.courses for volume in course.volumes_ml}
        ),
        "version": version("gliomask"),
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    styles = (package_text("static/evaluation.css"),)
    return render("follow.html.j2", context, Assets(styles=styles, style_attributes=True))


def measured_text(measured: Measured | None, decimals: int) -> str:
    """A figure with its error in brackets."""
    if measured is None:
        return number_text(None, 0)
    ends = interval_text((measured.low, measured.high), decimals)
    return f"{number_text(measured.value, decimals)} {ends}"


def change_text(change: Change | None, decimals: int) -> str:
    """A difference with its error; a dash for the first time point."""
    return number_text(None, 0) if change is None else _signed(change.absolute, decimals)


def percent_text(change: Change | None) -> str:
    """A difference as a percentage; also a dash if there was nothing before."""
    if change is None or change.percent is None:
        return number_text(None, 0)
    return _signed(change.percent, 0)


def threshold_text(threshold: Threshold) -> str:
    """A percentage compared with its threshold, and whether it reaches it."""
    change = signed_text(threshold.percent.value, 0)
    limit = signed_text(threshold.threshold_percent, 0)
    verdict = "reached" if threshold.reached else "not reached"
    unsure = ", but the threshold lies within the error" if threshold.within_error else ""
    return (
        f"{change} % against the {threshold.compared_with} (threshold {limit} %: {verdict}{unsure})"
    )


def _part(followed: Followed, course: RegionCourse) -> dict[str, object]:
    name = REGIONS[course.region].title
    figure = volume_course(course, followed.titles, followed.dates)
    svg = style.inline_svg(figure, f"volume_{course.region}", f"Volume of the {name} over time")
    lesions = (
        _followed_rows(followed, course) if course.followed else _lesion_rows(followed, course)
    )
    return {
        "title": f"{name[0].upper()}{name[1:]}",
        "table": TextTable(
            _CAPTION + _SUMMED[course.followed is not None],
            REGION_COLUMNS,
            region_rows(followed, course),
        ),
        "thresholds": threshold_lines(followed, course),
        "chart": Markup(svg),  # noqa: S704
        "lesions": TextTable("", _LESION_COLUMNS, tuple(lesions)),
        "matched": course.followed is not None,
    }


def _followed_rows(followed: Followed, course: RegionCourse) -> list[tuple[str, ...]]:
    return [
        (str(lesion.number), title, *_point_texts(lesion.points[n], lesion.changes[n]))
        for lesion in course.followed or ()
        for n, title in enumerate(followed.titles)
    ]


def _lesion_rows(followed: Followed, course: RegionCourse) -> list[tuple[str, ...]]:
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
        for n, title in enumerate(followed.titles)
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


def _signed(measured: Measured, decimals: int) -> str:
    ends = interval_text((measured.low, measured.high), decimals)
    return f"{signed_text(measured.value, decimals)} {ends}"
