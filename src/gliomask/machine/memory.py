"""Main memory: total, and available to this process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gliomask.machine.cgroups import ROOT, memory_room


@dataclass(frozen=True)
class Memory:
    """Main memory in bytes; None if unknown.

    Attributes:
        total: of the machine.
        available: memory that programs can still get without swapping.
        limit: of this process's container; None without one.
        left: what is left of that limit; None without one.
    """

    total: int | None
    available: int | None
    limit: int | None = None
    left: int | None = None

    @property
    def usable(self) -> int | None:
        """Memory that is available to this process; None if unknown."""
        known = [room for room in (self.available, self.left) if room is not None]
        return min(known, default=None)


def read_memory(root: Path = ROOT) -> Memory:
    """The memory as reported by the system; what is available is known on Linux only."""
    table = _meminfo(root)
    limit, left = memory_room(root) or (None, None)
    total = table.get("MemTotal") or _total_by_pages()
    return Memory(total, table.get("MemAvailable"), limit, left)


def _meminfo(root: Path) -> dict[str, int]:
    """Key -> bytes; empty where there is no such table."""
    file = root / "proc/meminfo"
    if not file.is_file():
        return {}
    pairs = (line.split() for line in file.read_text(encoding="ascii").splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in pairs if len(words) == 3}


def _total_by_pages() -> int | None:
    names: dict[str, int] = getattr(os, "sysconf_names", {})  # there are none on Windows
    if "SC_PHYS_PAGES" not in names or "SC_PAGE_SIZE" not in names:
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
