"""Memory and open files of the processes of a server, read from ``/proc`` (Linux)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from benchmarks.serve.background import Background

_PAGE = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> list[int]:
    """All processes that a process has started, directly or not."""
    parents: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            parents[int(place.name)] = int(fields[1])
    tree = [pid]
    for process in tree:
        tree += [child for child, parent in parents.items() if parent == process]
    return tree[1:]


def command(pid: int) -> str:
    """The command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def rss(pid: int) -> int:
    """Resident bytes of a process; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0


def peak(pid: int) -> int:
    """The most resident bytes that a process has had; 0 if it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def open_files(pid: int) -> int:
    """The open file descriptors of a process; 0 if it has ended."""
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0


class Peaks(Background):
    """The peak memory of each process of a server, sampled in a thread; use it as a context.

    Args:
        root: process id of the server; every_s: seconds between two looks.

    Attributes:
        peaks: process id -> its peak in bytes; commands: process id -> its command line.
        together: the most bytes that all of them had at one moment.
    """

    def __init__(self, root: int, every_s: float = 0.2) -> None:
        super().__init__(every_s)
        self.root = root
        self.peaks: dict[int, int] = {}
        self.commands: dict[int, str] = {}
        self.together = 0

    def __enter__(self) -> Self:
        for pid in [self.root, *descendants(self.root)]:
            with suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")  # resets the peaks of the kernel
        return super().__enter__()

    def of(self, what: str) -> int:
        """The largest peak of the processes with this in their command line."""
        return max(
            (self.peaks[pid] for pid, words in self.commands.items() if what in words), default=0
        )

    def run(self) -> None:
        """See ``Background``."""
        for _ in self.turns():
            tree = [self.root, *descendants(self.root)]
            for pid in tree:
                self.peaks[pid] = max(self.peaks.get(pid, 0), peak(pid))
                if words := command(pid):
                    self.commands[pid] = words
            self.together = max(self.together, sum(map(rss, tree)))
