"""How much memory a training may fill with slices."""

from __future__ import annotations

from pathlib import Path

import torch

_SHARE = 0.5
"""Of what is free; the rest is for the network's activations and for others."""
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_USED = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")


def memory_budget(processes: int) -> int:
    """Bytes of main memory that one of so many processes on this machine may fill.

    0 where the system does not tell what is free (it is not Linux): slices are then read as they
    are needed.
    """
    free = [_available(), *(_room(*files) for files in zip(_LIMITS, _USED, strict=True))]
    known = [room for room in free if room is not None]
    return int(_SHARE * min(known) / processes) if known else 0


def device_budget(device: torch.device) -> int:
    """The same of a device's own memory; 0 for the CPU, which has none."""
    if device.type != "cuda":
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    return int(_SHARE * free)


def _available() -> int | None:
    table = Path("/proc/meminfo")
    if not table.is_file():
        return None
    for line in table.read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _room(limit: str, used: str) -> int | None:
    """What a container's limit leaves; None if there is no limit."""
    if not Path(limit).is_file() or not Path(used).is_file():
        return None
    text = Path(limit).read_text(encoding="ascii").strip()
    if not text.isdigit():
        return None
    return max(0, int(text) - int(Path(used).read_text(encoding="ascii")))
