"""Optimiser and learning-rate schedule."""

from __future__ import annotations

import math
from typing import Any, Final

import torch
from torch import Tensor, nn

from gliomask.config import OptimiserOptions

_OWN: Final = ("lr", "fused", "foreach", "capturable")
"""Keys of a parameter group that are settings and not state."""


def make_optimiser(
    network: nn.Module,
    options: OptimiserOptions,
    *,
    fused: bool = True,
    recordable: bool = False,
) -> torch.optim.Optimizer:
    """Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019).

    Biases and the scales of batch norm have no weight decay.

    Args:
        network: network to train.
        options: settings.
        fused: update all weights in one kernel. It unscales half-precision gradients itself, so it
            can't be combined with gradient clipping.
        recordable: the learning rate is a tensor on the device, so that a recorded step (see
            ``graphed``) reads it.
    """
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": options.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    rate = torch.tensor(options.lr, device=others[0].device) if recordable else options.lr
    kind = torch.optim.Adam if options.name == "adam" else torch.optim.AdamW
    return kind(groups, lr=rate, fused=fused, capturable=recordable)


def learning_rate(options: OptimiserOptions, step: int, steps_per_epoch: int, epochs: int) -> float:
    """Learning rate of a step, counted from 0 over the whole run.

    ``cosine`` rises linearly in the warm-up and decays along half a cosine to nearly 0 at the last
    step. The warm-up is at most half of the run.
    """
    if options.schedule == "constant":
        return options.lr
    total = steps_per_epoch * epochs
    warmup = min(options.warmup_epochs * steps_per_epoch, total / 2)
    if step < warmup:
        return options.lr * (step + 1) / (warmup + 1)
    done = (step - warmup) / (total - warmup)
    return options.lr * 0.5 * (1 + math.cos(math.pi * done))


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of the next step."""
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def load_optimiser(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load the state of another optimiser of the same method, with any device and memory format.

    Fused kernels process weights and state in memory order and ignore strides, so the state is
    converted to the memory format of its weights. The settings of this optimiser (fused,
    recordable) do not change.
    """
    own = [{key: group[key] for key in _OWN} for group in optimiser.param_groups]
    optimiser.load_state_dict(state)
    rate = float(optimiser.param_groups[0]["lr"])
    for group, settings in zip(optimiser.param_groups, own, strict=True):
        group.update(settings)
        for weight in group["params"]:
            values = optimiser.state[weight]
            for name, value in values.items():
                if value.shape == weight.shape:
                    values[name] = torch.empty_like(weight).copy_(value)
    set_learning_rate(optimiser, rate)
