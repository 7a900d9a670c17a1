"""Common functions of the benchmarks: machine, alternating rounds, medians and ratios.

Times on a machine with other work drift by tens of per cent within minutes. So contestants take
turns, one turn each in a round, and a ratio is worked out within each round before the median is
taken: what slows a whole round cancels out.
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
"""Whose versions are told, those that are installed."""


@dataclass(frozen=True)
class Timing:
    """What one turn took.

    Attributes:
        wall_s: seconds that passed.
        cpu_s: seconds of all processors, of this process and its children.
    """

    wall_s: float
    cpu_s: float

    def by(self, clock: Clock) -> float:
        """Seconds of one of both."""
        return self.wall_s if clock == "wall" else self.cpu_s


@dataclass(frozen=True)
class Ratio:
    """How many times as fast as the reference: median, least and most over the rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def timed(work: Callable[[], Result]) -> tuple[Result, Timing]:
    """What ``work`` gives and what it took."""
    wall, cpu = time.perf_counter(), processor_seconds()
    result = work()
    return result, Timing(time.perf_counter() - wall, processor_seconds() - cpu)


def processor_seconds() -> float:
    """What this process has used of the processors, with its children, ended and (on Linux) alive.

    An engine may do its work in processes of its own. The system counts theirs in hundredths.
    """
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    alive = sum(map(_ticks, _children())) / os.sysconf("SC_CLK_TCK")
    return time.process_time() + ended.ru_utime + ended.ru_stime + alive


def _children() -> list[str]:
    lists = Path("/proc/self/task").glob("*/children")
    return [pid for one in lists for pid in one.read_text(encoding="ascii").split()]


def _ticks(pid: str) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0  # it has just ended
    return int(fields[11]) + int(fields[12])


def order(names: Sequence[str], number: int) -> list[str]:
    """Who comes after whom in round ``number``: each round begins one further along.

    So nobody always finds the caches as the same rival has left them.
    """
    start = number % len(names) if names else 0
    return [*names[start:], *names[:start]]


def alternate(
    names: Sequence[str], rounds: int, turn: Callable[[str, int], Timing], warm_up: int = 1
) -> dict[str, list[Timing]]:
    """Lets everybody take a turn in each round.

    Args:
        names: of the contestants.
        rounds: that count, 1 or more.
        turn: does the turn of a contestant in a round (from 0).
        warm_up: rounds before them that are not kept.

    Returns:
        name -> its timings, a round each.
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
    return statistics.median(one.by(clock) for one in timings)


def ratio(reference: Sequence[Timing], own: Sequence[Timing], clock: Clock) -> Ratio:
    """How many times as fast as the reference, round by round.

    Args:
        reference, own: timings of the same rounds.

    Raises:
        ValueError: not as many rounds of one as of the other.
    """
    pairs = zip(reference, own, strict=True)
    each = [theirs.by(clock) / max(ours.by(clock), 1e-9) for theirs, ours in pairs]
    return Ratio(statistics.median(each), min(each), max(each))


def load() -> float:
    """Of the machine over the last minute; NaN where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def machine_facts(threads: int) -> dict[str, object]:
    """What a figure depends on besides the code: processor, threads, versions."""
    return {
        "processor": _processor(),
        "processors": os.cpu_count() or 0,
        "threads": threads,
        "system": f"{platform.system()} {platform.release()}, {platform.libc_ver()[0] or 'libc'}",
        "python": platform.python_version(),
        "versions": dict(_versions()),
    }


def use_threads(threads: int) -> None:
    """Sets it for this process's libraries that are not loaded yet, and for its children."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)


def usual_clock(threads: int) -> Clock:
    """Processor time for one thread, since others' work does not count in it; else wall time."""
    return "cpu" if threads == 1 else "wall"


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _versions() -> Mapping[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
