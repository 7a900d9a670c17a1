"""A growth curve: a series of measurements and its points."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.growth.series import Series
from benchmarks.harness import Timing


@dataclass(frozen=True)
class Point:
    """One measurement.

    Attributes:
        value: on the axis; work: its seconds; whole: those of the process and of its processes,
            imports and all; peak_mib: of the largest; load: of the machine.
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
        """What the fit is over."""
        return [float(self.series.scale(point.value)) for point in self.points]

    @property
    def seconds(self) -> list[float]:
        """By the clock that counts."""
        return [point.work.by(self.series.clock) for point in self.points]

    @property
    def peaks(self) -> list[float]:
        """MiB."""
        return [point.peak_mib for point in self.points]
