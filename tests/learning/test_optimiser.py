"""The learning rate by hand, and what is decayed."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from gliomask.config import OptimiserOptions
from gliomask.learning.optimiser import (
    learning_rate,
    load_optimiser,
    make_optimiser,
    set_learning_rate,
)


def rate(step: int, **options: object) -> float:
    return learning_rate(OptimiserOptions.model_validate(options), step, 10, 5)


def test_a_constant_rate() -> None:
    assert [rate(s, lr=0.1, schedule="constant") for s in (0, 49)] == [0.1, 0.1]


def test_warm_up_and_cosine() -> None:
    options = {"lr": 1.0, "schedule": "cosine", "warmup_epochs": 1}
    assert rate(0, **options) == pytest.approx(1 / 11)
    assert rate(9, **options) == pytest.approx(10 / 11)
    assert rate(10, **options) == pytest.approx(1.0)
    assert rate(30, **options) == pytest.approx(0.5)  # half of the 40 steps after the warm-up
    assert 0 < rate(49, **options) < 0.002


def test_a_warm_up_longer_than_the_run_is_cut_to_half_of_it() -> None:
    options = {"lr": 1.0, "warmup_epochs": 100}
    assert rate(25, **options) == pytest.approx(1.0)
    assert rate(24, **options) < 1.0


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_only_weights_are_decayed(name: str, kind: type[torch.optim.Optimizer]) -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    options = OptimiserOptions.model_validate({"name": name, "lr": 0.2, "weight_decay": 0.3})
    optimiser = make_optimiser(network, options)
    assert type(optimiser) is kind
    decayed, others = optimiser.param_groups
    assert [p.ndim for p in decayed["params"]] == [4]
    assert [p.ndim for p in others["params"]] == [1, 1, 1]
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.3, 0.0)
    set_learning_rate(optimiser, 0.05)
    assert [group["lr"] for group in optimiser.param_groups] == [0.05, 0.05]


def moved(network: nn.Module, optimiser: torch.optim.Optimizer, steps: range) -> list[torch.Tensor]:
    """The weights after some steps along gradients that only depend on the number of the step."""
    for step in steps:
        set_learning_rate(optimiser, 0.1 / (1 + step))
        generator = torch.Generator().manual_seed(step)
        for weight in network.parameters():
            gradient = torch.randn(weight.shape, generator=generator)
            weight.grad = torch.empty_like(weight).copy_(gradient)
        optimiser.step()
    return [weight.detach().clone() for weight in network.parameters()]


def layers(layout: torch.memory_format) -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    return convert_conv2d_weight_memory_format(network, layout)


@pytest.mark.parametrize("recordable", [False, True])
def test_state_of_another_layout_goes_on_as_if_it_were_ours(recordable: bool) -> None:
    """The fused kernel would mix up moments and weights that lie in another order."""
    options = OptimiserOptions(name="adamw")
    whole = layers(torch.contiguous_format)
    expected = moved(whole, make_optimiser(whole, options), range(6))
    first = layers(torch.contiguous_format)
    before = make_optimiser(first, options)
    moved(first, before, range(3))
    second = layers(torch.channels_last)
    second.load_state_dict(first.state_dict())
    after = make_optimiser(second, options, recordable=recordable)
    load_optimiser(after, before.state_dict())
    assert float(after.param_groups[0]["lr"]) == pytest.approx(0.1 / 3)
    assert isinstance(after.param_groups[0]["lr"], torch.Tensor) is recordable
    assert after.param_groups[1]["capturable"] is recordable
    found = moved(second, after, range(3, 6))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
