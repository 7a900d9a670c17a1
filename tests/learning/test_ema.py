"""The moving average by hand."""

from __future__ import annotations

import pytest
import torch

from gliomask.learning.ema import MovingAverage
from gliomask.nets.u2net import U2Net, build_model

WEIGHT, BIAS = "side1.weight", "outconv.bias"
MEAN = "stage1.rebnconvin.bn_s1.running_mean"


def tiny() -> U2Net:
    return build_model("u2net-tiny", in_channels=1, out_channels=1)


def test_it_moves_a_share_of_the_way_and_leaves_the_network_alone() -> None:
    network = tiny()
    average = MovingAverage(network, decay=0.9)
    start = average.network.get_parameter(WEIGHT).clone()
    with torch.no_grad():
        network.get_parameter(WEIGHT).add_(1.0)
        network.get_buffer(MEAN).add_(2.0)
    target = network.get_parameter(WEIGHT).clone()
    average.follow(step=1000)
    torch.testing.assert_close(average.network.get_parameter(WEIGHT).data, start + 0.1)
    mean = average.network.get_buffer(MEAN)
    torch.testing.assert_close(mean, torch.full_like(mean, 0.2))
    assert torch.equal(network.get_parameter(WEIGHT), target)


def test_early_steps_count_for_more() -> None:
    network = tiny()
    average = MovingAverage(network, decay=0.999)
    start = average.network.get_parameter(BIAS).clone()
    with torch.no_grad():
        network.get_parameter(BIAS).add_(1.0)
    average.follow(step=0)
    assert float(average.network.get_parameter(BIAS) - start) == pytest.approx(0.9)


def test_the_average_is_not_trained() -> None:
    average = MovingAverage(tiny(), 0.9)
    assert not any(p.requires_grad for p in average.network.parameters())
    assert not average.network.training
