"""Weights between two models: every entry by hand, and a network that loads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.accuracy.interpolate import between, interpolate
from gliomask.errors import ConfigError
from gliomask.nets.u2net import build_model
from gliomask.nets.weights import load_model, save_model
from tests.fakes import fake_card


def test_every_entry_lies_between_but_regions_that_are_new() -> None:
    """0.25 x 2 + 0.75 x 6 = 5; of the output layer's rows the second stays 6."""
    before = {"conv.weight": torch.full((2, 2), 2.0), "side1.bias": torch.full((2,), 2.0)}
    after = {
        "conv.weight": torch.full((2, 2), 6.0),
        "side1.bias": torch.full((2,), 6.0),
        "bn.num_batches_tracked": torch.tensor(7),
    }
    found = between(before, after, 0.75)
    assert found["conv.weight"].tolist() == [[5.0, 5.0], [5.0, 5.0]]
    assert found["side1.bias"].tolist() == [5.0, 6.0]
    assert found["bn.num_batches_tracked"] == 7


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
    interpolate(tmp_path / "first", tmp_path / "second", tmp_path / "out", 0.5)
    network, found = load_model(tmp_path / "out")
    assert found.regions == ("whole", "core", "enhancing")
    name = "stage1.rebnconvin.conv_s1.weight"
    mixed, old, new = (one.state_dict()[name] for one in (network, first, second))
    assert torch.allclose(mixed[:, 1], new[:, 1] / 2)
    assert torch.allclose(mixed[:, 2], (old[:, 1] + new[:, 2]) / 2)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_0_to_1_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(ConfigError, match="allowed 0 to 1"):
        interpolate(tmp_path, tmp_path, tmp_path / "out", share)
