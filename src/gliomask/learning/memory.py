"""Memory limit for the slices of a training."""

from __future__ import annotations

import torch

from gliomask.machine.memory import read_memory

_SHARE = 0.5
"""Of what is free; the rest is for the network's activations and for others."""


def memory_budget(processes: int) -> int:
    """Bytes of main memory that one of so many processes on this machine may fill.

    0 if the free memory is unknown (it is not Linux): slices are then read as they
    are needed.
    """
    usable = read_memory().usable
    return 0 if usable is None else int(_SHARE * usable / processes)


def device_budget(device: torch.device) -> int:
    """The same of a device's own memory; 0 for the CPU, which has none."""
    if device.type != "cuda":
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    return int(_SHARE * free)
