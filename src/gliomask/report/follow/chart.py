"""The volume of a region over time, with its error, and that of its largest lesions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from gliomask.core.regions import REGIONS
from gliomask.lesions.course import RegionCourse
from gliomask.lesions.error import Measured
from gliomask.report import colours, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def volume_course(
    course: RegionCourse, names: Sequence[str], dates: Sequence[date | None]
) -> Figure:
    """A point with an error bar for each time point, joined by lines.

    Args:
        course: of one region.
        names: of the time points; shown below the axis if a date is unknown.
        dates: of the time points; if all are known, the axis is in days since the first.
    """
    figure = style.new_figure(6.4, 3.6)
    axes = figure.add_subplot()
    places, label = _places(dates)
    _draw(axes, places, course.volumes_ml, REGIONS[course.region].colour, "all")
    several = course.followed if course.followed and len(course.followed) > 1 else ()
    for lesion, colour in zip(several, colours.LESIONS, strict=False):
        volumes = [point.volume_ml for point in lesion.points]
        _draw(axes, places, volumes, colour, f"lesion {lesion.number}")
    style.tidy(axes, "", label, "Volume (ml), error")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.08)
    if label == "":
        axes.set_xticks(places, [_short(name) for name in names], parse_math=False)
    if several:
        axes.legend(frameon=False, fontsize=9, labelcolor=colours.INK)
    return figure


def _places(dates: Sequence[date | None]) -> tuple[list[float], str]:
    days = [day for day in dates if day is not None]
    if len(days) < len(dates):
        return [float(n) for n in range(len(dates))], ""
    return [float((day - days[0]).days) for day in days], f"Days since {days[0]}"


def _draw(
    axes: Axes, places: Sequence[float], volumes: Sequence[Measured], colour: str, label: str
) -> None:
    values = [volume.value for volume in volumes]
    below = [volume.value - volume.low for volume in volumes]
    above = [volume.high - volume.value for volume in volumes]
    axes.errorbar(
        places,
        values,
        yerr=(below, above),
        color=colour,
        marker="o",
        ms=5,
        lw=1.6,
        capsize=4,
        label=label,
    )


def _short(name: str, most: int = 16) -> str:
    return name if len(name) <= most else f"…{name[1 - most :]}"
