"""The 3x3 convolution from a stage's many channels to the few regions of a side output.

The processor's kernels work on blocks of 8 output channels, so that one region costs as much as
eight. In training the convolution is therefore done the other way round: first the channels are
mixed, once for each of the nine places of the kernel (a matrix product), then the nine small maps
are shifted and added up. That is the same sum in another order.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SIDE: Final = 3
_FEW: Final = 4
"""Regions from which on the plain convolution is quicker: each one mixes nine maps more."""


class SideHead(nn.Conv2d):
    """3x3 convolution with zeros around the edge: (N, in, H, W) -> (N, out, H, W)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, _SIDE, padding=_SIDE // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Logits; the layout in memory may differ between training and use."""
        if x.requires_grad and x.device.type == "cpu" and self.out_channels < _FEW:
            return self._mix_then_shift(x)
        return super().forward(x)

    def _mix_then_shift(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        # ``fold`` adds place (i, j) of what is at p to p + (i - 1, j - 1); a convolution takes it
        # from there. Hence the flip.
        kernel = self.weight.flip((2, 3)).permute(0, 2, 3, 1).reshape(-1, self.in_channels)
        pixels = x.permute(0, 2, 3, 1).reshape(len(x), height * width, self.in_channels)
        mixed = torch.matmul(pixels, kernel.t()).transpose(1, 2)
        maps = F.fold(mixed, (height, width), _SIDE, padding=_SIDE // 2)
        return maps if self.bias is None else maps + self.bias.view(1, -1, 1, 1)
