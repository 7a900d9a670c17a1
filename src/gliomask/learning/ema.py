"""The moving average of the weights, which is steadier than the weights of any one step."""

from __future__ import annotations

import copy

import torch

from gliomask.nets.u2net import U2Net


class MovingAverage:
    """Follows a network; its own ``network`` is what is evaluated and kept.

    Args:
        network: that is followed; the average starts as a copy of it.
        decay: share of the old average that a step keeps. Early on less is kept,
            (1 + n) / (10 + n) after n steps, or the random first weights would linger.
    """

    def __init__(self, network: U2Net, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        # Training changes these tensors in place, so they can be looked up once. The statistics
        # of batch norm are averaged like the weights that they belong to.
        average, weights = self.network.state_dict(), network.state_dict()
        floats = [name for name, value in average.items() if value.is_floating_point()]
        self._ours = [average[name] for name in floats]
        self._theirs = [weights[name] for name in floats]

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Moves the average towards the network after step number ``step`` (from 0)."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._ours, self._theirs, share)
