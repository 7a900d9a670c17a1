"""Weights between two models: every entry by hand, and a network that loads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks.accuracy.interpolate import between, interpolate, measure_statistics
from gliomask.config import load_recipe
from gliomask.errors import ConfigError
from gliomask.nets.u2net import build_model
from gliomask.nets.weights import save_model
from tests.fakes import fake_card
from tests.learning.stores import write_store
from tests.training import TINY


def test_every_entry_lies_between_but_regions_that_are_new() -> None:
    """0.25 x 2 + 0.75 x 6 = 5; of the output layer's rows the second stays 6."""
    before = {"conv.weight": torch.full((2, 2), 2.0), "side1.bias": torch.full((2,), 2.0)}
    after = {
        "conv.weight": torch.full((2, 2), 6.0),
        "side1.bias": torch.full((2,), 6.0),
        "bn.num_batches_tracked": torch.tensor(7),
    }
    found = between(before, after, 0.75, regions=1)
    assert found["conv.weight"].tolist() == [[5.0, 5.0], [5.0, 5.0]]
    assert found["side1.bias"].tolist() == [5.0, 6.0]
    assert found["bn.num_batches_tracked"] == 7
    both = between(before, after, 0.75, regions=2)
    assert both["side1.bias"].tolist() == [5.0, 5.0]


def test_a_model_with_more_sequences_and_regions(tmp_path: Path) -> None:
    """The new sequence's weights begin at 0: half of them is what the share of a half leaves."""
    torch.manual_seed(0)
    first = build_model("u2net-tiny", in_channels=2, out_channels=1)
    second = build_model("u2net-tiny", in_channels=3, out_channels=3)
    save_model(tmp_path / "first", first, fake_card(sequences=("t1", "flair")))
    card = fake_card(
        in_channels=3, sequences=("t1", "t2", "flair"), regions=("whole", "core", "enhancing")
    )
    save_model(tmp_path / "second", second, card)
    network = interpolate(tmp_path / "first", tmp_path / "second", 0.5)
    name = "stage1.rebnconvin.conv_s1.weight"
    mixed, old, new = (one.state_dict()[name] for one in (network, first, second))
    assert torch.allclose(mixed[:, 1], new[:, 1] / 2)
    assert torch.allclose(mixed[:, 2], (old[:, 1] + new[:, 2]) / 2)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_0_to_1_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(ConfigError, match="allowed 0 to 1"):
        interpolate(tmp_path, tmp_path, share)


def test_statistics_of_training_slices(tmp_path: Path) -> None:
    """Twice the weights of the first convolution: twice the mean and four times the variance of
    what follows it. Its weights themselves stay."""
    store = write_store(tmp_path / "store")
    recipe = load_recipe("default", TINY)
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe.model_dump(mode="json")))
    network = build_model("u2net-tiny", in_channels=2, out_channels=1)
    first, norm = "stage1.rebnconvin.conv_s1", "stage1.rebnconvin.bn_s1"
    measured = []
    for factor in (1.0, 2.0):
        state = network.state_dict()
        for part in ("weight", "bias"):
            state[f"{first}.{part}"] *= factor
        before = state[f"{first}.weight"].clone()
        measure_statistics(network, store.path, tmp_path / "recipe.yaml", 0, count=32)
        state = network.state_dict()
        assert torch.equal(state[f"{first}.weight"], before)
        assert not network.training
        of_norm = (state[f"{norm}.running_{name}"] for name in ("mean", "var"))
        measured.append([values.clone() for values in of_norm])
    (mean, variance), (mean_of_double, variance_of_double) = measured
    assert torch.allclose(mean_of_double, 2 * mean, rtol=1e-3, atol=1e-5)
    assert torch.allclose(variance_of_double, 4 * variance, rtol=1e-3)
    assert variance.min() > 0
