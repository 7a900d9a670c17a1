"""CPUs of the machine, and the number available to this process."""

from __future__ import annotations

import math
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gliomask.machine.cgroups import ROOT, cpu_quota

_VECTOR_FLAGS: Final = {
    "avx2": "AVX2",
    "fma": "FMA",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "amx_tile": "AMX",
    "asimd": "NEON",
    "sve": "SVE",
}
"""Flag of ``/proc/cpuinfo`` -> common name; x86 first, then ARM."""


@dataclass(frozen=True)
class Processors:
    """The processors of this machine.

    Attributes:
        model: as the processor calls itself; None if unknown.
        present: logical processors of the machine.
        allowed: number that this process may run on (affinity).
        quota: processors' worth of time that the container's limit leaves; None without a limit.
        vectors: instruction sets for arithmetic on vectors; empty if unknown.
    """

    model: str | None
    present: int
    allowed: int
    quota: float | None
    vectors: tuple[str, ...]

    @property
    def usable(self) -> int:
        """Threads that can really run at once, at least 1."""
        limit = self.allowed if self.quota is None else math.ceil(self.quota)
        return max(1, min(self.allowed, limit))

    @property
    def bfloat16(self) -> bool:
        """True for CPUs with bfloat16 instructions; other CPUs emulate them slowly."""
        return "AVX-512 BF16" in self.vectors or "AMX" in self.vectors


def read_processors(root: Path = ROOT) -> Processors:
    """The processors as reported by the system; affinity and flags are known on Linux only."""
    facts = _cpuinfo(root)
    flags = (facts.get("flags") or facts.get("Features") or "").split()
    present = os.cpu_count() or 1
    affinity = getattr(os, "sched_getaffinity", None)
    return Processors(
        model=facts.get("model name") or platform.processor() or None,
        present=present,
        allowed=len(affinity(0)) if affinity else present,
        quota=cpu_quota(root),
        vectors=tuple(name for flag, name in _VECTOR_FLAGS.items() if flag in flags),
    )


def read_load() -> float | None:
    """Programs that wanted a processor, on average over the last minute; None on Windows."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _cpuinfo(root: Path) -> dict[str, str]:
    """Key -> value of the first processor; empty where there is no such table."""
    file = root / "proc/cpuinfo"
    if not file.is_file():
        return {}
    first, _, _ = file.read_text(encoding="utf-8", errors="replace").partition("\n\n")
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
