"""The course of a region and of its lesions over several time points.

A lesion that RANO calls measurable at one time point may be too small for it at another. Where
lesions are followed, the sum of products is therefore taken over the same ones at every time point:
all that are measurable at any, the five with the largest products. Else a lesion of 10 mm that
loses one would halve the sum, or end it. Where lesions can't be followed that may happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gliomask.lesions.change import Change, Threshold, change, thresholds
from gliomask.lesions.description import MOST_LESIONS, LesionReport, RegionReport
from gliomask.lesions.error import Measured, total
from gliomask.lesions.matching import Track


@dataclass(frozen=True)
class LesionPoint:
    """One lesion at one time point; all figures are 0 or None where it is not there.

    Attributes:
        parts: number of pieces.
        volume_ml: of all pieces.
        long_mm, short_mm: of the piece with the largest product of both; None without a piece.
        products_mm2: the sum over its pieces.
        measurable: whether any piece is, by RANO's size.
    """

    parts: int
    volume_ml: Measured
    long_mm: Measured | None
    short_mm: Measured | None
    products_mm2: Measured
    measurable: bool


@dataclass(frozen=True)
class LesionCourse:
    """One lesion through time.

    Attributes:
        number: 1 is the largest at any time point.
        points: one for each time point.
        changes: of its volume since the first time point; None for that one.
        in_sum: whether its products are in the sum of its region.
    """

    number: int
    points: tuple[LesionPoint, ...]
    changes: tuple[Change | None, ...]
    in_sum: bool


@dataclass(frozen=True)
class RegionCourse:
    """One region through time; every sequence has an entry for each time point.

    Attributes:
        region: its name.
        volumes_ml: all of it.
        volume_changes: since the first time point; None for that one.
        sums_mm2: the sum of products: of lesions that are followed, over the same ones at every
            time point (``in_sum``); else over those measurable at each, five at most.
        sum_changes: changes of that sum, likewise.
        thresholds: thresholds for that sum; empty if there is nothing to compare it with.
        lesions: lesions at each time point, by number.
        followed: the same lesions matched through time; None where scans are not registered.
    """

    region: str
    volumes_ml: tuple[Measured, ...]
    volume_changes: tuple[Change | None, ...]
    sums_mm2: tuple[Measured, ...]
    sum_changes: tuple[Change | None, ...]
    thresholds: tuple[tuple[Threshold, ...], ...]
    lesions: tuple[tuple[LesionReport, ...], ...]
    followed: tuple[LesionCourse, ...] | None


def region_course(
    reports: Sequence[RegionReport],
    volumes: Sequence[Measured],
    tracks: Sequence[Track] | None,
) -> RegionCourse:
    """The course of one region.

    Args:
        reports: of each time point, in order of time; one at least.
        volumes: in ml, of each time point, with the best error there is.
        tracks: which lesions are the same one, None where that is not known.
    """
    followed = None if tracks is None else _followed(tracks, reports)
    if followed is None:
        sums = [report.sum_of_products_mm2 for report in reports]
    else:
        sums = [
            total([lesion.points[n].products_mm2 for lesion in followed if lesion.in_sum])
            for n in range(len(reports))
        ]
    return RegionCourse(
        region=reports[0].region,
        volumes_ml=tuple(volumes),
        volume_changes=since_first(volumes),
        sums_mm2=tuple(sums),
        sum_changes=since_first(sums),
        thresholds=tuple(thresholds(sums[: n + 1]) for n in range(len(sums))),
        lesions=tuple(report.lesions for report in reports),
        followed=followed,
    )


def since_first(figures: Sequence[Measured]) -> tuple[Change | None, ...]:
    """The change from the first figure to each; None for the first."""
    return (None, *(change(figures[0], later) for later in figures[1:]))


def _followed(tracks: Sequence[Track], reports: Sequence[RegionReport]) -> tuple[LesionCourse, ...]:
    courses = [_points(track, reports) for track in tracks]
    largest = [max(point.products_mm2.value for point in points) for points in courses]
    measurable = [
        n for n, course in enumerate(courses) if any(point.measurable for point in course)
    ]
    summed = sorted(measurable, key=lambda n: -largest[n])[:MOST_LESIONS]
    return tuple(
        LesionCourse(
            number=track.number,
            points=points,
            changes=since_first([point.volume_ml for point in points]),
            in_sum=n in summed,
        )
        for n, (track, points) in enumerate(zip(tracks, courses, strict=True))
    )


def _points(track: Track, reports: Sequence[RegionReport]) -> tuple[LesionPoint, ...]:
    return tuple(
        _point([lesion for lesion in report.lesions if lesion.number in numbers])
        for report, numbers in zip(reports, track.parts, strict=True)
    )


def _point(parts: Sequence[LesionReport]) -> LesionPoint:
    largest = max(parts, key=lambda part: part.diameters.product.value, default=None)
    return LesionPoint(
        parts=len(parts),
        volume_ml=total([part.volume_ml for part in parts]),
        long_mm=None if largest is None else largest.diameters.long,
        short_mm=None if largest is None else largest.diameters.short,
        products_mm2=total([part.diameters.product for part in parts]),
        measurable=any(part.measurable for part in parts),
    )
