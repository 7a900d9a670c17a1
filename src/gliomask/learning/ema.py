"""Exponential moving average of the weights."""

from __future__ import annotations

import copy

import torch

from gliomask.nets.u2net import U2Net


class MovingAverage:
    """Exponential moving average (EMA) of a network; ``network`` is evaluated and saved.

    Args:
        network: network to average; the average starts as a copy of it.
        decay: decay per step. At the beginning it is smaller, (1 + n) / (10 + n) after n steps, to
            forget the random initial weights quickly.
    """

    def __init__(self, network: U2Net, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        # Training changes these tensors in place, so they can be looked up once. The statistics
        # of batch norm are averaged like the weights that they belong to.
        average, weights = self.network.state_dict(), network.state_dict()
        floats = [name for name, value in average.items() if value.is_floating_point()]
        self._averaged = [average[name] for name in floats]
        self._followed = [weights[name] for name in floats]

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Update the average after step number ``step`` (from 0)."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._averaged, self._followed, share)
