"""Common functions of the benchmarks: machine, alternating rounds, medians and ratios.

Times on a machine with other work drift by tens of per cent within minutes. Contestants therefore
alternate, with one turn each per round, and ratios are computed within each round before their
median, so that a slowdown of a whole round cancels out.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, TypeVar

Clock = Literal["wall", "cpu"]
Result = TypeVar("Result")
PACKAGES = (
    "gliomask",
    "torch",
    "onnxruntime",
    "openvino",
    "MNN",
    "monai",
    "dynamic-network-architectures",
    "scikit-image",
    "numpy",
)
"""Packages whose versions are reported, if installed."""


@dataclass(frozen=True)
class Timing:
    """Time of a turn.

    Attributes:
        wall_s: elapsed seconds.
        cpu_s: CPU seconds of this process and its children.
    """

    wall_s: float
    cpu_s: float

    def by(self, clock: Clock) -> float:
        """Seconds of a clock."""
        return self.wall_s if clock == "wall" else self.cpu_s


@dataclass(frozen=True)
class Ratio:
    """Speed relative to the reference: median, minimum and maximum over the rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def timed(work: Callable[[], Result]) -> tuple[Result, Timing]:
    """Result of ``work``, and its time."""
    wall, cpu = time.perf_counter(), processor_seconds()
    result = work()
    return result, Timing(time.perf_counter() - wall, processor_seconds() - cpu)


def processor_seconds() -> float:
    """CPU seconds of this process and its children, ended and (on Linux) running.

    An engine may work in separate processes. The system counts theirs in hundredths.
    """
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    alive = sum(map(_ticks, _children())) / os.sysconf("SC_CLK_TCK")
    return time.process_time() + ended.ru_utime + ended.ru_stime + alive


def _children() -> list[str]:
    lists = Path("/proc/self/task").glob("*/children")
    return [pid for path in lists for pid in path.read_text(encoding="ascii").split()]


def _ticks(pid: str) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0  # it has just ended
    return int(fields[11]) + int(fields[12])


def order(names: Sequence[str], number: int) -> list[str]:
    """Order of the contestants in round ``number``: each round starts with the next one.

    So no contestant always runs on the caches that the same other one has left.
    """
    start = number % len(names) if names else 0
    return [*names[start:], *names[:start]]


def alternate(
    names: Sequence[str], rounds: int, turn: Callable[[str, int], Timing], warm_up: int = 1
) -> dict[str, list[Timing]]:
    """Runs a turn of each contestant in each round.

    Args:
        names: contestants.
        rounds: number of measured rounds, 1 or more.
        turn: runs the turn of a contestant in a round (from 0).
        warm_up: number of rounds before these, which are not measured.

    Returns:
        name -> its timings, one per round.
    """
    for number in range(warm_up):
        for name in order(names, number):
            turn(name, number)
    kept: dict[str, list[Timing]] = {name: [] for name in names}
    for number in range(rounds):
        for name in order(names, number):
            kept[name].append(turn(name, number))
    return kept


def median(timings: Sequence[Timing], clock: Clock) -> float:
    """Median seconds. Raises ``statistics.StatisticsError`` if there are none."""
    return statistics.median(timing.by(clock) for timing in timings)


def ratio(reference: Sequence[Timing], own: Sequence[Timing], clock: Clock) -> Ratio:
    """Speed relative to the reference, round by round.

    Args:
        reference, own: timings of the same rounds.

    Raises:
        ValueError: different numbers of rounds.
    """
    pairs = zip(reference, own, strict=True)
    each = [first.by(clock) / max(second.by(clock), 1e-9) for first, second in pairs]
    return Ratio(statistics.median(each), min(each), max(each))


def load() -> float:
    """Load of the machine over the last minute; NaN where the system does not report it."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def machine_facts(threads: int) -> dict[str, object]:
    """Properties of the machine that figures depend on: processor, threads, versions."""
    return {
        "processor": _processor(),
        "processors": os.cpu_count() or 0,
        "threads": threads,
        "system": f"{platform.system()} {platform.release()}, {platform.libc_ver()[0] or 'libc'}",
        "python": platform.python_version(),
        "versions": dict(_versions()),
    }


def use_threads(threads: int) -> None:
    """Sets the number of threads for child processes and for libraries that are not loaded yet."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)


def usual_clock(threads: int) -> Clock:
    """CPU time for one thread, which excludes other programs' work; otherwise wall time."""
    return "cpu" if threads == 1 else "wall"


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _versions() -> Mapping[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
