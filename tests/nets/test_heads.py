"""The side heads give the same numbers and gradients whichever way they are worked out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from gliomask.nets.heads import SideHead


@pytest.mark.parametrize("regions", [1, 3, 4])
def test_both_ways_are_the_same_convolution(regions: int) -> None:
    torch.manual_seed(0)
    head = SideHead(5, regions).double()
    x = torch.randn(2, 5, 7, 4, dtype=torch.float64, requires_grad=True)
    assert head.bias is not None
    inputs = (x, head.weight, head.bias)
    ours, theirs = head(x), F.conv2d(x, head.weight, head.bias, padding=1)
    torch.testing.assert_close(ours, theirs)
    pull = torch.randn_like(theirs)
    found = torch.autograd.grad(ours, inputs, pull)
    torch.testing.assert_close(found, torch.autograd.grad(theirs, inputs, pull))


def test_a_corner_by_hand() -> None:
    # A kernel that takes the pixel to the lower right, from a picture with one bright pixel.
    head = SideHead(1, 1)
    with torch.no_grad():
        head.weight.zero_()[0, 0, 2, 2] = 2.0
        head.bias.fill_(0.5)  # type: ignore[union-attr]
    x = torch.zeros(1, 1, 3, 3)
    x[0, 0, 1, 1] = 1.0
    expected = torch.full((3, 3), 0.5)
    expected[0, 0] = 2.5
    for image in (x, x.clone().requires_grad_()):
        assert torch.equal(head(image)[0, 0], expected)


def test_without_gradients_it_is_the_plain_convolution() -> None:
    head = SideHead(4, 1)
    x = torch.randn(1, 4, 6, 6)
    plain = F.conv2d(x, head.weight, head.bias, padding=1)
    with torch.no_grad():
        assert torch.equal(head(x), plain)
