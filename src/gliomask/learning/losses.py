"""Loss function: soft Dice and cross-entropy on all seven maps of logits.

The loss is computed from sums over the samples, which are added over devices first, so several
devices give exactly the loss and gradient of the whole batch. Deep supervision is Qin et al.
(2020); soft Dice is Milletari et al., V-Net, 3DV 2016, with the plain sum in the denominator; with
different weights for false negatives and false positives it is the Tversky index, and with an
exponent the focal Tversky loss of Abraham and Khan, ISBI 2019.

A region that a data set does not label is left out for its samples: unknown is not background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from gliomask.config import LossOptions

_SMOOTH: Final = 1.0
"""Pixels added to numerator and denominator, so that the Dice of two empty maps is 1."""
_LEAST: Final = 1e-6
"""Lower bound, because a root has an infinite gradient at 0."""
_PLACES = (2, 3)


@dataclass(frozen=True)
class SegmentationLoss:
    """Dice and cross-entropy of the fused map and, with weights, of the side maps.

    The total is divided by the weights of the maps, so that it has the scale of one map's loss.
    """

    options: LossOptions

    def sums(self, maps: Sequence[Tensor], target: Tensor, labelled: Tensor) -> Tensor:
        """Sums over some samples from which ``value`` computes the loss; sums may be added up.

        Args:
            maps: seven times logits (n, R, H, W), the fused map first.
            target: (n, R, H, W) float, 0 or 1.
            labelled: (n, R) float, 1 where the sample's data set labels the region. Elsewhere its
                target is unknown, and neither loss nor gradient depends on the sample.

        Returns:
            (maps, R, 7) float32: per map and region the summed Dice of each labelled sample, the
            number of labelled samples, the overlap, the sum of both areas, the summed
            cross-entropy per pixel; then the summed Tversky index of each sample, and the sum of
            both areas as it weighs them.
        """
        missed = self.options.missed
        return torch.stack(
            [_sums(maps_of_output.float(), target, labelled, missed) for maps_of_output in maps]
        )

    def value(self, sums: Tensor) -> Tensor:
        """(2,): the loss, and the Dice loss (1 - soft Dice) of the fused map alone.

        Both are means over the regions that at least one sample labels; 0 if there are none.
        """
        dice_sum, count, overlap, areas, entropy, index_sum, weighed = sums.unbind(-1)
        samples = count.clamp_min(1)
        share = (count > 0) / (count > 0).sum(dim=1, keepdim=True).clamp_min(1)
        if self.options.dice_over == "sample":
            dice_loss, index_loss = 1 - dice_sum / samples, 1 - index_sum / samples
        else:
            dice_loss, index_loss = (
                1 - (2 * overlap + _SMOOTH) / (both + _SMOOTH) for both in (areas, weighed)
            )
        if self.options.focus != 1.0:
            index_loss = index_loss.clamp_min(_LEAST) ** self.options.focus
        each = self.options.dice * index_loss + self.options.bce * entropy / samples
        weights = torch.full((len(sums), 1), self.options.sides, device=sums.device)
        weights[0] = 1.0
        total = (weights * each * share).sum() / weights.sum()
        return torch.stack([total, (dice_loss[0] * share[0]).sum()])


def _sums(logits: Tensor, target: Tensor, labelled: Tensor, missed: float) -> Tensor:
    """(R, 7) of one map."""
    probability = torch.sigmoid(logits)
    overlap = (probability * target).sum(_PLACES)
    areas = (probability + target).sum(_PLACES)
    dice = (2 * overlap + _SMOOTH) / (areas + _SMOOTH)
    weighed, index = areas, dice
    if missed != 0.5:
        weighed = (2 * (1 - missed) * probability + 2 * missed * target).sum(_PLACES)
        index = (2 * overlap + _SMOOTH) / (weighed + _SMOOTH)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(_PLACES)
    parts = (dice, torch.ones_like(dice), overlap, areas, entropy, index, weighed)
    return torch.stack([(part * labelled).sum(0) for part in parts], dim=-1)
