"""One block from a spec: its names, its dilations, its sizes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gliomask.nets.rsu import RSU, halve, resize_like
from gliomask.nets.specs import RSUSpec


def convolutions(block: RSU) -> list[tuple[str, int, int, int]]:
    """(name, input channels, output channels, dilation) of each, in order."""
    return [
        (name.removesuffix(".conv_s1"), conv.in_channels, conv.out_channels, conv.dilation[0])
        for name, conv in block.named_modules()
        if isinstance(conv, nn.Conv2d)
    ]


def test_a_pooled_block_has_the_authors_convolutions() -> None:
    assert convolutions(RSU(3, RSUSpec(4, 5, 7))) == [
        ("rebnconvin", 3, 7, 1),
        ("rebnconv1", 7, 5, 1),
        ("rebnconv2", 5, 5, 1),
        ("rebnconv3", 5, 5, 1),
        ("rebnconv4", 5, 5, 2),
        ("rebnconv3d", 10, 5, 1),
        ("rebnconv2d", 10, 5, 1),
        ("rebnconv1d", 10, 7, 1),
    ]


def test_a_dilated_block_has_the_authors_convolutions() -> None:
    assert convolutions(RSU(3, RSUSpec(4, 5, 7, dilated=True))) == [
        ("rebnconvin", 3, 7, 1),
        ("rebnconv1", 7, 5, 1),
        ("rebnconv2", 5, 5, 2),
        ("rebnconv3", 5, 5, 4),
        ("rebnconv4", 5, 5, 8),
        ("rebnconv3d", 10, 5, 4),
        ("rebnconv2d", 10, 5, 2),
        ("rebnconv1d", 10, 7, 1),
    ]


@pytest.mark.parametrize(("dilated", "bottom"), [(False, (4, 3)), (True, (13, 9))])
def test_only_a_pooled_block_gets_smaller_inside(dilated: bool, bottom: tuple[int, int]) -> None:
    block = RSU(1, RSUSpec(4, 2, 2, dilated)).eval()
    seen: list[torch.Size] = []
    deepest = block.get_submodule("rebnconv4")
    deepest.register_forward_hook(lambda _module, _inputs, out: seen.append(out.shape))
    assert block(torch.zeros(1, 1, 13, 9)).shape == (1, 2, 13, 9)
    assert seen == [(1, 2, *bottom)]


def test_the_block_adds_what_its_first_convolution_saw() -> None:
    block = RSU(1, RSUSpec(3, 2, 2)).eval()
    last = block.get_submodule("rebnconv1d.bn_s1")
    assert isinstance(last, nn.BatchNorm2d)
    nn.init.zeros_(last.weight)  # silences the inner U: its bias is 0 too
    x = torch.randn(1, 1, 6, 6)
    torch.testing.assert_close(block(x), block.rebnconvin(x))


def test_halving_rounds_up_and_keeps_the_largest() -> None:
    x = torch.tensor([[[[1.0, 5.0, 2.0], [3.0, 4.0, 9.0], [7.0, 0.0, 6.0]]]])
    assert halve(x).tolist() == [[[[5.0, 9.0], [7.0, 6.0]]]]
    assert halve(torch.ones(1, 1, 1, 1)).shape == (1, 1, 1, 1)


def test_resizing_keeps_pixel_centres() -> None:
    # Centres of 4 pixels lie at -0.25, 0.25, 0.75 and 1.25 of the two: the outer ones are clamped.
    row = torch.tensor([[[[0.0, 4.0]]]])
    assert resize_like(row, torch.zeros(1, 9, 1, 4)).tolist() == [[[[0.0, 1.0, 3.0, 4.0]]]]
    assert torch.equal(resize_like(row, torch.zeros(5, 2, 1, 2)), row)


def test_the_way_back_through_a_concatenation_keeps_the_layout() -> None:
    low = torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last).requires_grad_()
    beside = torch.randn(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    joined = torch.cat((resize_like(low, beside), beside), dim=1)
    (gradient,) = torch.autograd.grad(joined.square().sum(), low)
    assert gradient.is_contiguous(memory_format=torch.channels_last)
    plain = low.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
    alone = F.interpolate(plain, scale_factor=2, mode="bilinear").square().sum()
    torch.testing.assert_close(gradient, torch.autograd.grad(alone, plain)[0])
