"""What people read of figures over time, and the chart."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from gliomask.lesions.change import change, thresholds
from gliomask.lesions.course import region_course
from gliomask.lesions.description import describe_region
from gliomask.lesions.error import Measured
from gliomask.report.follow.chart import volume_course
from gliomask.report.follow.page import (
    change_text,
    measured_text,
    percent_text,
    region_rows,
    threshold_lines,
    threshold_text,
)
from gliomask.report.follow.table import Followed
from tests.lesions.shapes import block


def figure(value: float, error: float) -> Measured:
    return Measured(value, value - error, value + error, "m")


def followed(*dates: date | None) -> Followed:
    reports = [
        describe_region(
            block((40, 30, 6), (2, 2 + n), (2, 14), (1, 5)).astype(np.uint8), np.eye(4), "whole"
        )
        for n in (12, 24)
    ]
    course = region_course(reports, [report.volume_ml for report in reports], None)
    return Followed(("one", "two"), dates, (course,), ())


def test_figures_come_with_their_error() -> None:
    assert measured_text(figure(12.34, 1.0), 1) == "12.3 [11.3, 13.3]"
    assert measured_text(None, 1) == "–"
    changed = change(figure(10.0, 0.0), figure(7.5, 1.0))
    assert change_text(changed, 1) == "−2.5 [−3.5, −1.5]"
    assert percent_text(changed) == "−25 [−35, −15]"
    assert percent_text(change(figure(0.0, 0.0), figure(1.0, 0.5))) == "–"
    assert change_text(None, 1) == percent_text(None) == "–"


def test_thresholds_are_told_as_arithmetic() -> None:
    smallest, first = thresholds([figure(100.0, 4.0), figure(130.0, 5.0)])
    assert threshold_text(smallest) == (
        "+30 % against the smallest before (threshold +25 %: reached, but the threshold lies "
        "within the error)"
    )
    assert threshold_text(first) == "+30 % against the first (threshold −50 %: not reached)"


def test_a_row_for_each_time_point() -> None:
    found = followed(date(2024, 1, 1), date(2024, 3, 1))
    first, second = region_rows(found, found.courses[0])
    assert first[0] == "one, 2024-01-01"
    assert first[1].startswith("0.6 [")
    assert second[2].startswith("+0.6 [")
    assert second[3].startswith("+100 [")
    (line,) = threshold_lines(found, found.courses[0])
    assert line.startswith("two, 2024-03-01: +")


@pytest.mark.parametrize(
    ("dates", "places"),
    [((None, None), [0, 1]), ((date(2024, 1, 1), date(2024, 3, 1)), [0, 60])],
)
def test_the_chart_has_a_bar_from_low_to_high(
    dates: tuple[date | None, ...], places: list[float]
) -> None:
    found = followed(*dates)
    (course,) = found.courses
    (axes,) = volume_course(course, found.names, dates).axes
    (line, _, (bars,)) = axes.containers[0]
    assert list(line.get_xdata()) == places
    assert list(line.get_ydata()) == pytest.approx([one.value for one in course.volumes_ml])
    ends = [[float(y) for _, y in segment] for segment in bars.get_segments()]
    assert ends == [pytest.approx([one.low, one.high]) for one in course.volumes_ml]
