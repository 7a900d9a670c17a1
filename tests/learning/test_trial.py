"""Steps to be timed are steps of a training: they learn."""

from __future__ import annotations

import torch

from gliomask.config import load_recipe
from gliomask.learning.trial import TrialStep
from gliomask.nets.u2net import build_model

RECIPE = load_recipe(
    "default", ("batch_size=4", "input.size=32", "optimiser.lr=0.01", "network=u2net-tiny")
)


def test_the_loss_falls_and_the_average_follows() -> None:
    torch.manual_seed(0)
    network = build_model("u2net-tiny", in_channels=2, out_channels=1)
    step = TrialStep(network, RECIPE, "cpu")
    assert step.average is not None
    average = step.average.network.outconv.weight.clone()
    first = step.run(1)
    assert step.run(12) < 0.9 * first
    assert step.count == 13
    assert not torch.equal(step.average.network.outconv.weight, average)
