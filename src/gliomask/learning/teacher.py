"""Distillation: the probabilities of another network become part of the training target.

A probability contains more information than 0 or 1. A small network learns from a larger one so
what it would not have found itself (Hinton, Vinyals and Dean, Distilling the knowledge in a neural
network, 2015). Here at a temperature of 1, and in one target instead of a second loss, so that
Dice learns from it as cross-entropy does.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Teacher:
    """A network that has learned already, and how much is believed of it.

    Attributes:
        network: in evaluation mode; gives its fused map of logits first.
        share: of the target that is the teacher's, 0 to 1.
    """

    network: nn.Module
    share: float

    def soften(self, images: Tensor, target: Tensor, fabric: Fabric) -> Tensor:
        """The target with the teacher's share in it, (n, R, H, W) float32 in 0 to 1.

        The teacher gets the input of the student: the same changes, the same sequences left out.

        Args:
            images: (n, C, H, W) float32; target: (n, R, H, W) float32, 0 or 1.
            fabric: whose precision the teacher works in.
        """
        with torch.no_grad(), fabric.autocast():
            logits: Tensor = self.network(images)[0]
        return torch.lerp(target, torch.sigmoid(logits.float()), self.share)
