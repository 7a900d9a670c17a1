"""Memory limit for the slices of a training."""

from __future__ import annotations

import torch

from gliomask.machine.memory import read_memory

_SHARE = 0.5
"""Fraction of the free memory; the rest is for activations and other programs."""


def memory_budget(processes: int) -> int:
    """Bytes of main memory that each process on this machine may use.

    0 if the free memory is unknown (not Linux): slices are then read on demand.
    """
    usable = read_memory().usable
    return 0 if usable is None else int(_SHARE * usable / processes)


def device_budget(device: torch.device) -> int:
    """Bytes of a device's memory that this process may use; 0 for the CPU."""
    if device.type != "cuda":
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    return int(_SHARE * free)
