"""GPUs that torch can use, and the reason if it can't use an existing one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gliomask.machine.cgroups import ROOT

_DRIVER: Final = "proc/driver/nvidia/version"


@dataclass(frozen=True)
class GPU:
    """One GPU: its name, bytes of memory, and compute capability, e.g. ``9.0``."""

    name: str
    memory: int
    capability: str


@dataclass(frozen=True)
class GPUs:
    """Devices for computation besides the CPUs.

    Attributes:
        found: GPUs that torch can use.
        cuda: version of CUDA that torch was built for; None if it was built without.
        driver: version of the kernel's NVIDIA driver; None if there is none (or it is not Linux).
    """

    found: tuple[GPU, ...]
    cuda: str | None
    driver: str | None


def read_gpus(root: Path = ROOT) -> GPUs:
    """Asks torch, and the kernel for its driver.

    Raises:
        ImportError: torch can't be imported.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    cards = [torch.cuda.get_device_properties(index) for index in range(count)]
    gpus = tuple(GPU(c.name, c.total_memory, f"{c.major}.{c.minor}") for c in cards)
    return GPUs(gpus, torch.version.cuda, _driver(root))


def _driver(root: Path) -> str | None:
    """Driver version, from a line like ``NVRM version: NVIDIA UNIX x86_64 ...  550.54.15  Tue``."""
    file = root / _DRIVER
    if not file.is_file():
        return None
    words = file.read_text(encoding="utf-8", errors="replace").partition("\n")[0].split()
    numbers = (word for word in words if "." in word and word.replace(".", "").isdigit())
    return next(numbers, "unknown")
