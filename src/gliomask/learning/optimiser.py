"""How the weights move: the method, and the learning rate at each step."""

from __future__ import annotations

import math

import torch
from torch import nn

from gliomask.config import OptimiserOptions


def make_optimiser(
    network: nn.Module, options: OptimiserOptions, *, fused: bool = True
) -> torch.optim.Optimizer:
    """Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019).

    Biases and the scales of batch norm are not decayed: a small one is not a simple one.

    Args:
        network: whose weights move.
        options: how.
        fused: all weights in one kernel. It scales gradients of half precision itself, so it
            can't go together with clipping them.
    """
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": options.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if options.name == "adam":
        return torch.optim.Adam(groups, lr=options.lr, fused=fused)
    return torch.optim.AdamW(groups, lr=options.lr, fused=fused)


def learning_rate(options: OptimiserOptions, step: int, steps_per_epoch: int, epochs: int) -> float:
    """The rate of a step, counted from 0 over the whole run.

    ``cosine`` rises linearly over the warm-up and falls along half a cosine to nearly 0 at the
    last step. A warm-up that is longer than half of the run is cut to that.
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
    """Sets it for the next step."""
    for group in optimiser.param_groups:
        group["lr"] = rate
