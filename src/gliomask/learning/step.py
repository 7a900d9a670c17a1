"""One step of training on made-up slices, to be timed: the loop's own parts, and no data.

What a step costs does not depend on what the slices show. Reading and changing them is left out:
threads do that meanwhile.
"""

from __future__ import annotations

from typing import Literal

import torch

from gliomask.config import Recipe
from gliomask.learning.devices import Machines, start_fabric
from gliomask.learning.ema import MovingAverage
from gliomask.learning.losses import SegmentationLoss
from gliomask.learning.optimiser import make_optimiser
from gliomask.nets.u2net import U2Net


class TrialStep:
    """A training that only steps.

    Args:
        network: with any weights; they are changed.
        recipe: whose loss, optimiser, precision and batch size are used.
        device: that it runs on.

    Raises:
        MachineError: there is no such device.
    """

    def __init__(self, network: U2Net, recipe: Recipe, device: Literal["cpu", "cuda"]) -> None:
        self.recipe, self.loss, self.count = recipe, SegmentationLoss(recipe.loss), 0
        self.fabric = start_fabric(Machines(device, devices=1, nodes=1), recipe)
        if device == "cuda":
            torch.nn.utils.convert_conv2d_weight_memory_format(network, torch.channels_last)
        fused = recipe.precision != "16-mixed"
        optimiser = make_optimiser(network, recipe.optimiser, fused=fused)
        self.model, self.optimiser = self.fabric.setup(network.train(), optimiser)
        self.average = MovingAverage(network, recipe.ema) if recipe.ema else None
        self.images, self.target = self._slices(network)

    def run(self, steps: int) -> float:
        """So many steps; gives the loss of the last, and so waits until a GPU has done them."""
        losses = [self._step() for _ in range(steps)]
        return float(losses[-1].item())

    def _step(self) -> torch.Tensor:
        value = self.loss.value(self.loss.sums(self.model(self.images), self.target))
        self.fabric.backward(value[0])
        if self.recipe.optimiser.clip is not None:
            clip = self.recipe.optimiser.clip
            self.fabric.clip_gradients(self.model, self.optimiser, max_norm=clip)
        self.optimiser.step()
        self.optimiser.zero_grad()
        if self.average is not None:
            self.average.follow(self.count)
        self.count += 1
        return value.detach()[0]

    def _slices(self, network: U2Net) -> tuple[torch.Tensor, torch.Tensor]:
        """Noise, and a square of tumour in it."""
        size, count = self.recipe.input.size, self.recipe.batch_size
        images = torch.randn(count, network.in_channels, size, size)
        target = torch.zeros(count, network.out_channels, size, size)
        target[:, :, size // 4 : size // 2, size // 4 : size // 2] = 1
        images += target.amax(dim=1, keepdim=True)
        return images.to(self.fabric.device), target.to(self.fabric.device)
