"""Widening: the output stays, the new channels learn."""

from __future__ import annotations

import pytest
import torch

from gliomask.errors import ConfigError
from gliomask.nets.specs import U2NET, U2NET_TINY, U2NETP, U2NetSpec
from gliomask.nets.u2net import U2Net, build_model
from gliomask.nets.widen import can_widen, input_parts, widen


def trained(name: str = "u2net-tiny") -> U2Net:
    torch.manual_seed(0)
    model = build_model(name, in_channels=4, out_channels=3, epsilon=1e-3)
    model.train()(torch.randn(2, 4, 40, 36) * 3 + 1)  # batch norms with values of their own
    return model.eval()


@pytest.mark.parametrize("size", [(40, 36), (33, 47)])
def test_all_outputs_stay(size: tuple[int, int]) -> None:
    narrow = trained()
    wide = widen(narrow, "u2netp")
    image = torch.randn(2, 4, *size)
    with torch.inference_mode():
        for before, after in zip(narrow(image), wide(image), strict=True):
            torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-4)


def test_it_is_the_wide_network_with_the_narrow_ones_settings() -> None:
    wide = widen(trained(), "u2netp")
    assert (wide.spec.name, wide.in_channels, wide.out_channels) == ("u2netp", 4, 3)
    assert wide.epsilon == 1e-3
    assert not wide.training


def test_new_channels_learn_within_two_steps() -> None:
    wide = widen(trained(), "u2netp").train()
    new_row = wide.get_parameter("stage3.rebnconv1.conv_s1.weight")[10]  # 8 rows are old
    before = new_row.detach().clone()
    optimiser = torch.optim.SGD(wide.parameters(), lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        wide(torch.randn(2, 4, 40, 36))[0].square().mean().backward()
        optimiser.step()
    assert not torch.equal(new_row, before)


def test_each_convolution_reads_the_channels_it_has() -> None:
    for spec in (U2NET, U2NETP, U2NET_TINY):
        model = build_model(spec.name, in_channels=4, out_channels=3)
        parts = dict(input_parts(spec, 4))
        inputs = {
            name: module.in_channels
            for name, module in model.named_modules()
            if isinstance(module, torch.nn.Conv2d) and name != "outconv"
        }
        assert {name: sum(part) for name, part in parts.items()} == inputs


@pytest.mark.parametrize(
    ("narrow", "wide", "possible"),
    [
        (U2NETP, U2NET, True),
        (U2NET_TINY, U2NETP, True),
        (U2NET, U2NETP, False),
        (U2NETP, U2NETP, False),
    ],
)
def test_which_is_wider(narrow: U2NetSpec, wide: U2NetSpec, possible: bool) -> None:
    assert can_widen(narrow, wide) is possible


def test_a_narrower_network_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"not wider \(network=u2net-tiny"):
        widen(trained("u2netp"), "u2net-tiny")
