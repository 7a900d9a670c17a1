"""A growth curve: a series of measurements and its points."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.growth.series import Series
from benchmarks.harness import Timing


@dataclass(frozen=True)
class Point:
    """One measurement.

    Attributes:
        value: position on the axis; work: seconds of the work; whole: seconds of the process and
            its children, including imports; peak_mib: memory of the largest process; load: load of
            the machine.
    """

    value: int
    work: Timing
    whole: Timing
    peak_mib: float
    load: float


@dataclass(frozen=True)
class Curve:
    """A series with its points."""

    series: Series
    points: tuple[Point, ...]

    @property
    def x(self) -> list[float]:
        """Independent variable of the fit."""
        return [float(self.series.scale(point.value)) for point in self.points]

    @property
    def seconds(self) -> list[float]:
        """Seconds by the clock of the series."""
        return [point.work.by(self.series.clock) for point in self.points]

    @property
    def peaks(self) -> list[float]:
        """Peak memory in MiB."""
        return [point.peak_mib for point in self.points]
