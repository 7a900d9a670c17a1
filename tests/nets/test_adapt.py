"""The two rules, by hand and by what they keep."""

from __future__ import annotations

import pytest
import torch

from gliomask.nets.adapt import (
    ChannelMap,
    fit_weights,
    match_channels,
    repeat_fusion,
    spread_channels,
)
from gliomask.nets.u2net import U2Net, build_model


def network(in_channels: int, out_channels: int) -> U2Net:
    torch.manual_seed(in_channels)
    model = build_model("u2net-tiny", in_channels=in_channels, out_channels=out_channels)
    model.train()(torch.randn(2, in_channels, 40, 40))
    return model.eval()


def fitted(source: U2Net, in_channels: int, out_channels: int) -> U2Net:
    target = network(in_channels, out_channels)
    tensors, _ = fit_weights(dict(source.state_dict()), target.state_dict())
    target.load_state_dict(tensors, strict=True)
    return target


def test_channels_are_averaged_and_scaled() -> None:
    weight = torch.tensor([1.0, 2.0, 6.0]).reshape(1, 3, 1, 1)  # mean 3, sum 9
    assert spread_channels(weight, 1).flatten().tolist() == [9.0]
    assert spread_channels(weight, 2).flatten().tolist() == [4.5, 4.5]
    assert spread_channels(weight, 4).flatten().tolist() == [2.25] * 4


def test_each_region_fuses_its_own_maps() -> None:
    weight = torch.arange(1.0, 7.0).reshape(1, 6, 1, 1)
    assert repeat_fusion(weight, 2)[:, :, 0, 0].tolist() == [
        [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0],
        [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6],
    ]
    assert torch.equal(repeat_fusion(weight, 1), weight)


def test_a_known_sequence_keeps_its_weights_and_a_new_one_begins_at_zero() -> None:
    weight = torch.tensor([1.0, 2.0, 6.0]).reshape(1, 3, 1, 1)
    channels = ChannelMap(("t1", "t1ce", "flair"), ("t1ce", "t2", "t1", "flair"))
    assert match_channels(weight, channels).flatten().tolist() == [2.0, 0.0, 1.0, 6.0]


def test_a_network_with_one_more_sequence_answers_as_before() -> None:
    source, target = network(2, 1), network(3, 1)
    channels = ChannelMap(("t1", "flair"), ("t1", "t2", "flair"))
    tensors, (change,) = fit_weights(dict(source.state_dict()), target.state_dict(), channels)
    target.load_state_dict(tensors, strict=True)
    assert change.how == "t1, flair keep their weights, t2 from zero"
    x = torch.randn(1, 3, 45, 38)
    with torch.inference_mode():
        for old, new in zip(source(x[:, [0, 2]]), target(x), strict=True):
            torch.testing.assert_close(new, old)


def test_the_same_sequences_in_the_same_order_change_nothing() -> None:
    source = network(2, 1)
    same = ChannelMap(("t1", "flair"), ("t1", "flair"))
    _, changes = fit_weights(dict(source.state_dict()), network(2, 1).state_dict(), same)
    assert changes == ()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_a_grey_image_answers_as_before(channels: int) -> None:
    source = network(3, 1)
    adapted = fitted(source, channels, 1)
    grey = torch.randn(1, 1, 45, 38)
    with torch.inference_mode():
        before, after = source(grey.repeat(1, 3, 1, 1)), adapted(grey.repeat(1, channels, 1, 1))
    for old, new in zip(before, after, strict=True):
        torch.testing.assert_close(new, old)


def test_every_region_starts_as_the_one() -> None:
    source = network(3, 1)
    adapted = fitted(source, 3, 3)
    x = torch.randn(1, 3, 45, 38)
    with torch.inference_mode():
        for old, new in zip(source(x), adapted(x), strict=True):
            torch.testing.assert_close(new, old.expand(1, 3, 45, 38))


def test_what_has_no_rule_is_left_as_it_is() -> None:
    fresh = network(3, 3).state_dict()
    found = {
        "side1.weight": torch.ones(2, 8, 3, 3),  # two regions can't become three
        "side2.bias": torch.ones(1, dtype=torch.float16),
        "stage1.rebnconvin.conv_s1.weight": torch.ones(8, 2, 5, 5),
        "stage1.rebnconv1.conv_s1.weight": torch.ones(4, 9, 3, 3),
        "outconv.weight": torch.ones(1, 5, 1, 1),
    }
    tensors, changes = fit_weights(found, fresh)
    assert changes == ()
    assert all(tensors[name] is found[name] for name in found)
