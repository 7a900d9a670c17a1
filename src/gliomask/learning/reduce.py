"""Sums and copies over all processes of a training; no-ops with a single process.

They call torch directly, because Fabric's ``all_reduce`` has an additional barrier.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn


def many() -> bool:
    """Return True if there is more than one process."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def sum_over_processes(tensor: Tensor) -> Tensor:
    """Sum over all processes, any shape; the tensor is not modified."""
    if not many():
        return tensor
    summed = tensor.detach().clone()
    dist.all_reduce(summed)
    return summed


def total_with_gradient(tensor: Tensor) -> Tensor:
    """Sum over all processes, with the gradient of this process's part only.

    DDP averages the parts of all processes; times the number of processes this is the gradient of
    the whole batch.
    """
    return tensor + (sum_over_processes(tensor) - tensor).detach() if many() else tensor


def largest(number: int, device: torch.device) -> int:
    """Maximum of a number over all processes."""
    if not many():
        return number
    tensor = torch.tensor(number, device=device)
    dist.all_reduce(tensor, dist.ReduceOp.MAX)
    return int(tensor)


def copy_buffers(*networks: nn.Module) -> None:
    """Copy the buffers of the first process (running statistics of batch norm) to all others."""
    if many():
        for network in networks:
            for buffer in network.buffers():
                dist.broadcast(buffer, 0)
