"""A training step: forward pass, loss, backward pass, update of the weights."""

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
    """Training step: forward, loss, backward, clipping, update, without synchronising with the GPU.

    Attributes:
        fabric: launched Fabric.
        model, optimiser: set up by it.
        loss: loss function.
        clip: maximum norm of the gradient, None without clipping.
        teacher: teacher for distillation, None if there is none.
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
            images: (n, C, H, W) float32.
            target: (n, R, H, W) float32.
            labelled: (n, R) float32, whether the region of the target is labelled. All are the own
                part of the batch.
        """
        if self.teacher is not None:
            target = self.teacher.soften(images, target, self.fabric)
        sums = self.loss.sums(self.model(images), target, labelled)
        value = self.loss.value(across.total_with_gradient(sums))
        self.fabric.backward(value[0] * self.fabric.world_size)
        if self.clip is not None:
            # A non-finite gradient is reported as a non-finite loss.
            self.fabric.clip_gradients(
                self.model, self.optimiser, max_norm=self.clip, error_if_nonfinite=False
            )
        self.optimiser.step()
        self.optimiser.zero_grad()
        return value.detach()
