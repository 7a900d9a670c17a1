"""The learning rate by hand, and what is decayed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gliomask.config import OptimiserOptions
from gliomask.learning.optimiser import learning_rate, make_optimiser, set_learning_rate


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
