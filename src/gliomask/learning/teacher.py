"""Distillation: the probabilities of a teacher network are part of the training target.

See Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015. The temperature is
1, and the probabilities are mixed into the target instead of a second loss, so both Dice and
cross-entropy use them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Teacher:
    """Teacher network and its weight in the training target.

    Attributes:
        network: network in evaluation mode; its first output is the fused map of logits.
        share: weight of the teacher in the target, 0 to 1.
    """

    network: nn.Module
    share: float

    def soften(self, images: Tensor, target: Tensor, fabric: Fabric) -> Tensor:
        """Mix the teacher's probabilities into the target, (n, R, H, W) float32 in 0 to 1.

        The teacher gets the input of the student, with the same augmentation and dropped sequences.

        Args:
            images: (n, C, H, W) float32.
            target: (n, R, H, W) float32, 0 or 1.
            fabric: Fabric with the precision of the teacher.
        """
        with torch.no_grad(), fabric.autocast():
            logits: Tensor = self.network(images)[0]
        return torch.lerp(target, torch.sigmoid(logits.float()), self.share)
