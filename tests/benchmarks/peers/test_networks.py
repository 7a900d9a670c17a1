"""The networks that are compared, and what is counted of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.peers.networks import (
    arithmetic,
    authors_module,
    authors_with_our_weights,
    first_map,
    monai_network,
    nnunet_network,
)
from benchmarks.random_model import SEQUENCES, random_model
from benchmarks.speed.network import flipped
from gliomask.nets.weights import load_model
from tests.benchmarks.authors_stand_in import write_stand_in

NNUNET = importlib.util.find_spec("dynamic_network_architectures") is not None


def test_multiplications_are_counted_by_hand() -> None:
    # 2 filters of 1 x 3 x 3 at 16 places: 288 multiplications, 18 weights and 2 biases.
    found = arithmetic(nn.Conv2d(1, 2, 3, padding=1), channels=1, size=4)
    assert found.parameters == 20
    assert found.gmac == pytest.approx(288e-9)


@pytest.mark.skipif(not NNUNET, reason="dynamic-network-architectures is not installed")
@pytest.mark.parametrize(("size", "stages"), [(256, 7), (128, 6), (32, 4)])
def test_nnunet_halves_down_to_four_pixels(size: int, stages: int) -> None:
    network = nnunet_network(3, 1, size)
    encoder = network.get_submodule("encoder.stages")
    assert sum(1 for _ in encoder.children()) == stages
    with torch.no_grad():
        assert first_map(network(torch.zeros(1, 3, size, size))).shape == (1, 2, size, size)


def test_monai_gives_a_map_of_the_same_size() -> None:
    with torch.no_grad():
        assert monai_network(2, 1)(torch.zeros(1, 2, 32, 32)).shape == (1, 1, 32, 32)


def test_the_authors_network_takes_our_weights(tmp_path: Path) -> None:
    images = np.random.default_rng(0).normal(size=(4, 3, 32, 32)).astype(np.float32)
    model = random_model(tmp_path / "run", "u2netp", images)
    theirs = authors_with_our_weights(write_stand_in(tmp_path / "checkout"), model)
    ours, card = load_model(model)
    assert card.sequences == SEQUENCES
    with torch.no_grad():
        given = torch.from_numpy(images)
        torch.testing.assert_close(theirs(given)[0], torch.sigmoid(ours(given)[0]))


def test_a_folder_that_is_no_checkout_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no checkout of xuebinqin/U-2-Net"):
        authors_module(tmp_path, "model/u2net.py")


def test_random_weights_have_the_statistics_of_the_slices(tmp_path: Path) -> None:
    images = np.random.default_rng(0).normal(7, 2, size=(8, 1, 32, 32)).astype(np.float32)
    network, _ = load_model(random_model(tmp_path, "u2net-tiny", images, ("flair",)))
    first = network.get_submodule("stage1.rebnconvin")
    seen = first.get_submodule("conv_s1")(torch.from_numpy(images)).mean((0, 2, 3))
    mean = first.get_submodule("bn_s1").get_buffer("running_mean")
    torch.testing.assert_close(mean, seen, rtol=1e-3, atol=1e-3)


def test_flipped_pixels_are_a_share_of_the_tumour() -> None:
    reference = np.array([[0.9, 0.8, 0.6, 0.5, 0.1, 0.2]], np.float32)
    own = np.array([[0.9, 0.4, 0.6, 0.7, 0.6, 0.2]], np.float32)
    assert flipped(reference, own, 0.5) == 2 / 4
    assert np.isnan(flipped(reference, own, 0.95))


def test_random_weights_find_a_little_tumour(tmp_path: Path) -> None:
    images = np.random.default_rng(0).normal(size=(8, 1, 32, 32)).astype(np.float32)
    network, card = load_model(random_model(tmp_path, "u2net-tiny", images, ("flair",)))
    with torch.no_grad():
        probability = torch.sigmoid(network(torch.from_numpy(images))[0])
    assert (probability >= card.threshold).float().mean().item() == pytest.approx(0.02, abs=0.003)
