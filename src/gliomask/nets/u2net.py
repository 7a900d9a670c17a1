"""U²-Net: a U of residual U-blocks with seven outputs, for any channels, regions and size.

Six encoder stages, five decoder stages, a side output from each depth and one that fuses them. The
names of the parameters are those of the authors' code. Two things differ: the outputs are logits,
since a loss and a calibration need them, and the blocks are built from a spec.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from gliomask.errors import ConfigError
from gliomask.nets.heads import SideHead
from gliomask.nets.rsu import RSU, halve, resize_like
from gliomask.nets.specs import TORCH_EPSILON, U2NetSpec, find_spec

DEPTH: Final = 6
"""Stages of the encoder, and side outputs."""


class U2Net(nn.Module):
    """The network that ``spec`` describes.

    Args:
        spec: the blocks.
        in_channels: C, the channels of the input (MRI sequences).
        out_channels: R, the regions; each has a separate logit (they may overlap).
        epsilon: of the batch norms; weights belong to the one that they were trained with.

    Parameters start as in the authors' code: PyTorch's defaults.
    """

    def __init__(
        self,
        spec: U2NetSpec,
        in_channels: int,
        out_channels: int,
        epsilon: float = TORCH_EPSILON,
    ) -> None:
        super().__init__()
        self.spec, self.epsilon = spec, epsilon
        self.in_channels = in_channels
        self.out_channels = out_channels
        width = in_channels
        for stage, block in enumerate(spec.encoder, start=1):
            self.add_module(f"stage{stage}", RSU(width, block))
            width = block.out
        skips = reversed(spec.encoder[:-1])
        for stage, block, skip in zip(range(DEPTH - 1, 0, -1), spec.decoder, skips, strict=True):
            self.add_module(f"stage{stage}d", RSU(width + skip.out, block))
            width = block.out
        sides = (*reversed(spec.decoder), spec.encoder[-1])
        for stage, block in enumerate(sides, start=1):
            self.add_module(f"side{stage}", SideHead(block.out, out_channels))
        self.outconv = nn.Conv2d(DEPTH * out_channels, out_channels, 1)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = epsilon

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Seven maps of logits, in training and in evaluation alike.

        Args:
            x: (N, C, H, W) float. Any H and W of at least 1 in evaluation. In training a batch
                norm needs more than one value per channel at every depth: with N = 1 one side
                must be longer than 32.

        Returns:
            d0 to d6, each (N, R, H, W): d0 fuses the six others, d1 comes from the finest stage
            and d6 from the deepest.
        """
        down: list[Tensor] = [self.get_submodule("stage1")(x)]
        for stage in range(2, DEPTH + 1):
            down.append(self.get_submodule(f"stage{stage}")(halve(down[-1])))
        stages = [down.pop()]
        for stage in range(DEPTH - 1, 0, -1):
            beside = down.pop()
            joined = torch.cat((resize_like(stages[0], beside), beside), dim=1)
            stages.insert(0, self.get_submodule(f"stage{stage}d")(joined))
        sides = [
            self.get_submodule(f"side{k}")(stage_map) for k, stage_map in enumerate(stages, start=1)
        ]
        maps = [sides[0], *(resize_like(side, x) for side in sides[1:])]
        return (self.outconv(torch.cat(maps, dim=1)), *maps)


def build_model(
    name: str, *, in_channels: int, out_channels: int, epsilon: float = TORCH_EPSILON
) -> U2Net:
    """A new network with fresh weights.

    Args:
        name: a key of ``SPECS``: u2net, u2netp or u2net-tiny.
        in_channels: channels of the input, at least 1.
        out_channels: regions, at least 1.
        epsilon: of the batch norms.

    Raises:
        ConfigError: there is no such network, or a number is below 1.
    """
    spec = find_spec(name)
    for field, value in (("in_channels", in_channels), ("out_channels", out_channels)):
        if value < 1:
            raise ConfigError("too few", field=field, found=value, allowed="1 or more")
    return U2Net(spec, in_channels, out_channels, epsilon)
