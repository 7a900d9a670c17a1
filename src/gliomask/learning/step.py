"""One step of the optimiser: a batch goes through the network, and the weights move."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from gliomask.learning import reduce as across
from gliomask.learning.losses import SegmentationLoss
from gliomask.learning.teacher import Teacher


@dataclass(frozen=True, eq=False)
class Step:
    """Forward, loss, backward, clip, move. The processor waits for nothing that a GPU works out.

    Attributes:
        fabric: launched.
        model, optimiser: set up by it.
        loss: that is made small.
        clip: largest norm of the gradient, None for any.
        teacher: whose probabilities go into the target, None for the reference alone.
    """

    fabric: Fabric
    model: nn.Module
    optimiser: torch.optim.Optimizer
    loss: SegmentationLoss
    clip: float | None
    teacher: Teacher | None = None

    def __call__(self, images: Tensor, target: Tensor, labelled: Tensor) -> Tensor:
        """(2,): loss and Dice loss of the whole batch, over all processes.

        Args:
            images: (n, C, H, W) float32; target: (n, R, H, W) float32; labelled: (n, R) float32,
                which regions of the target are known. Our part of the batch.
        """
        if self.teacher is not None:
            target = self.teacher.soften(images, target, self.fabric)
        sums = self.loss.sums(self.model(images), target, labelled)
        value = self.loss.value(across.total_with_gradient(sums))
        self.fabric.backward(value[0] * self.fabric.world_size)
        if self.clip is not None:
            # A gradient that is not finite is reported as the loss that it comes from.
            self.fabric.clip_gradients(
                self.model, self.optimiser, max_norm=self.clip, error_if_nonfinite=False
            )
        self.optimiser.step()
        self.optimiser.zero_grad()
        return value.detach()
