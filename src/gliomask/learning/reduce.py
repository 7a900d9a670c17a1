"""Sums and copies over all the processes of a training; with one process they change nothing.

They go to torch directly: Fabric's own ``all_reduce`` waits for every process a second time.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn


def many() -> bool:
    """Return True if there is more than one process."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def sum_over_processes(tensor: Tensor) -> Tensor:
    """The sum over all processes, any shape; the tensor itself is left as it is."""
    if not many():
        return tensor
    summed = tensor.detach().clone()
    dist.all_reduce(summed)
    return summed


def total_with_gradient(tensor: Tensor) -> Tensor:
    """The same, whose gradient is that of our own part.

    What DDP makes of it is the mean over processes of each one's part of the gradient: times the
    number of processes, that is the gradient of the whole batch.
    """
    return tensor + (sum_over_processes(tensor) - tensor).detach() if many() else tensor


def largest(number: int, device: torch.device) -> int:
    """The largest of every process's number."""
    if not many():
        return number
    tensor = torch.tensor(number, device=device)
    dist.all_reduce(tensor, dist.ReduceOp.MAX)
    return int(tensor)


def copy_buffers(*networks: nn.Module) -> None:
    """Gives every process the first one's buffers (the running statistics of batch norm)."""
    if many():
        for network in networks:
            for buffer in network.buffers():
                dist.broadcast(buffer, 0)
