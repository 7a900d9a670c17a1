"""The residual U-block (RSU) of U²-Net, built from its spec by one loop.

Every stage contains a U-shaped block: a large receptive field with few channels, whose output is
added to that of its first convolution. Parameters have the names of the authors' code, so that
their weights can be loaded.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gliomask.nets.specs import RSUSpec


class ConvNormReLU(nn.Module):
    """3x3 convolution, batch norm, ReLU: (N, C, H, W) -> (N, out, H, W), values >= 0."""

    def __init__(self, in_channels: int, out_channels: int, dilation: int = 1) -> None:
        super().__init__()
        # The authors' names: they are the keys of the weights.
        self.conv_s1 = nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        # In place: the sums before it are not needed, and the memory is still in the cache.
        return F.relu(self.bn_s1(self.conv_s1(x)), inplace=True)


class RSU(nn.Module):
    """A residual U-block: (N, in_channels, H, W) -> (N, spec.out, H, W), values >= 0.

    Any H and W of at least 1: the pools round up, and every map is brought back to the size of the
    one that it joins.
    """

    def __init__(self, in_channels: int, spec: RSUSpec) -> None:
        super().__init__()
        self.spec = spec
        self.rebnconvin = ConvNormReLU(in_channels, spec.out)
        for level, dilation in enumerate(spec.down_dilations, start=1):
            width = spec.out if level == 1 else spec.mid
            self.add_module(f"rebnconv{level}", ConvNormReLU(width, spec.mid, dilation))
        for level, dilation in spec.up_dilations:
            width = spec.out if level == 1 else spec.mid
            self.add_module(f"rebnconv{level}d", ConvNormReLU(2 * spec.mid, width, dilation))

    def forward(self, x: Tensor) -> Tensor:
        whole: Tensor = self.rebnconvin(x)
        down: list[Tensor] = [self.get_submodule("rebnconv1")(whole)]
        for level in range(2, self.spec.height + 1):
            below = halve(down[-1]) if self.spec.pools(level) else down[-1]
            down.append(self.get_submodule(f"rebnconv{level}")(below))
        up = down.pop()
        for level in range(self.spec.height - 1, 0, -1):
            beside = down.pop()
            if self.spec.pools(level + 1):
                up = resize_like(up, beside)
            joined = torch.cat((up, beside), dim=1)
            up = self.get_submodule(f"rebnconv{level}d")(joined)
        return up + whole


def halve(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, ceil(H / 2), ceil(W / 2)): the largest of each 2x2 square."""
    return F.max_pool2d(x, kernel_size=2, stride=2, ceil_mode=True)


def resize_like(x: Tensor, target: Tensor) -> Tensor:
    """``x`` (N, C, H, W) brought to the height and width of ``target``, bilinearly.

    Pixel centres stay where they are (``align_corners=False``).
    """
    resized = F.interpolate(x, size=target.shape[-2:], mode="bilinear", align_corners=False)
    if resized.requires_grad and resized.device.type == "cpu":
        resized.register_hook(_channels_last)  # type: ignore[no-untyped-call]
    return resized


def _channels_last(gradient: Tensor) -> Tensor:
    """Make the gradient of a part of a concatenation contiguous.

    Otherwise the processor uses a slow backward pass of the interpolation, whose result has another
    memory format, which each following convolution has to convert.
    """
    return gradient.contiguous(memory_format=torch.channels_last)
