"""The moving average by hand."""

from __future__ import annotations

import pytest
import torch

from gliomask.learning.ema import MovingAverage
from gliomask.nets.u2net import build_model


def test_it_moves_a_share_of_the_way_and_leaves_the_network_alone() -> None:
    network = build_model("u2net-tiny", in_channels=1, out_channels=1)
    average = MovingAverage(network, decay=0.9)
    start = average.network.side1.weight.clone()
    with torch.no_grad():
        network.side1.weight.add_(1.0)
        network.get_buffer("stage1.rebnconvin.bn_s1.running_mean").add_(2.0)
    target = network.side1.weight.clone()
    average.follow(step=1000)
    torch.testing.assert_close(average.network.side1.weight, start + 0.1)
    mean = average.network.get_buffer("stage1.rebnconvin.bn_s1.running_mean")
    torch.testing.assert_close(mean, torch.full_like(mean, 0.2))
    assert torch.equal(network.side1.weight, target)


def test_early_steps_count_for_more() -> None:
    network = build_model("u2net-tiny", in_channels=1, out_channels=1)
    average = MovingAverage(network, decay=0.999)
    start = average.network.outconv.bias.clone()
    with torch.no_grad():
        network.outconv.bias.add_(1.0)
    average.follow(step=0)
    assert float(average.network.outconv.bias - start) == pytest.approx(0.9)


def test_the_average_is_not_trained() -> None:
    average = MovingAverage(build_model("u2net-tiny", in_channels=1, out_channels=1), 0.9)
    assert not any(p.requires_grad for p in average.network.parameters())
    assert not average.network.training
