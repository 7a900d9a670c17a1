"""Training steps on synthetic slices, for speed measurements.

The time of a step does not depend on the content of the slices. Reading and augmentation are not
included, because threads do them in parallel.
"""

from __future__ import annotations

from typing import Literal

import torch

from gliomask.config import Recipe
from gliomask.learning.devices import Machines, start_fabric
from gliomask.learning.ema import MovingAverage
from gliomask.learning.execution import choose_execution, set_up
from gliomask.nets.u2net import U2Net


class TrialStep:
    """Training steps for speed measurements.

    Args:
        network: network with any weights, which are changed.
        recipe: its loss, optimiser, precision and batch size are used.
        device: the device.

    Raises:
        MachineError: the device does not exist.
    """

    def __init__(self, network: U2Net, recipe: Recipe, device: Literal["cpu", "cuda"]) -> None:
        self.fabric = fabric = start_fabric(Machines(device, devices=1, nodes=1), recipe)
        self._step = set_up(fabric, network.train(), recipe, choose_execution("auto", fabric)).step
        self.average = MovingAverage(network, recipe.ema) if recipe.ema else None
        images, target = _slices(network, recipe)
        self._images, self._target = images.to(fabric.device), target.to(fabric.device)
        self._labelled = torch.ones(target.shape[:2], device=fabric.device)
        self.count = 0

    def run(self, steps: int) -> float:
        """Do a number of steps; return the loss of the last one, which waits for the GPU."""
        losses = [self._one() for _ in range(steps)]
        return float(losses[-1].item())

    def _one(self) -> torch.Tensor:
        loss: torch.Tensor = self._step(self._images, self._target, self._labelled)[0]
        if self.average is not None:
            self.average.follow(self.count)
        self.count += 1
        return loss


def _slices(network: U2Net, recipe: Recipe) -> tuple[torch.Tensor, torch.Tensor]:
    """Batch of noise with a square of tumour."""
    size, count = recipe.input.size, recipe.batch_size
    images = torch.randn(count, network.in_channels, size, size)
    target = torch.zeros(count, network.out_channels, size, size)
    target[:, :, size // 4 : size // 2, size // 4 : size // 2] = 1
    return images + target.amax(dim=1, keepdim=True), target
