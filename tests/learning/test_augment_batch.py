"""The changes of a batch side by side: nothing is lost, and the way through one block of bytes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gliomask.config import load_recipe
from gliomask.learning.augment import Augmentation, draw_change
from gliomask.learning.augment_batch import arrange_batch, join, part
from gliomask.learning.augment_geometry import move
from gliomask.learning.augment_intensity import shade

STAY = Augmentation(np.ones(2, bool))


def test_what_does_not_happen_is_not_there() -> None:
    changes = arrange_batch([STAY, STAY])
    assert changes.tensors == {}
    assert changes.seeds == ()
    assert changes.drawn("gamma") is None


def test_each_value_goes_with_its_sample() -> None:
    gamma = np.array([2.0, 0.5], np.float32)
    noisy = replace(STAY, noise=0.25, noise_seed=7)
    changes = arrange_batch(
        [STAY, replace(noisy, gamma=gamma), replace(STAY, kept=~STAY.kept), noisy]
    )
    drawn = changes.drawn("gamma")
    assert drawn is not None
    assert (drawn[0].tolist(), drawn[1].tolist()) == ([1], [[2.0, 0.5]])
    assert changes.tensors["noise.at"].tolist() == [1, 3]
    assert changes.tensors["noise"].tolist() == [0.25, 0.25]
    assert changes.seeds == (7, 7)
    assert changes.tensors["kept"].tolist() == [[1, 1], [1, 1], [0, 0], [1, 1]]


def test_a_sample_that_is_only_warped_keeps_its_place() -> None:
    warp = np.ones((2, 9, 9), np.float32)
    changes = arrange_batch([STAY, replace(STAY, warp=warp)])
    assert changes.tensors["moved"].tolist() == [1]
    assert changes.tensors["affine"].tolist() == [[[1, 0, 0], [0, 1, 0]]]


def test_one_block_and_back() -> None:
    tensors = {
        "a": torch.tensor([True, False, True]),
        "b": torch.arange(5),
        "c": torch.randn(2, 3, 3),
    }
    block, places = join(tensors, pinned=False)
    assert block.dtype == torch.uint8
    assert places == {"a": 0, "b": 16, "c": 64}  # of 3, 40 and 72 bytes
    found = part(block.clone(), tensors, places)
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


@pytest.mark.gpu
def test_a_gpu_changes_a_batch_as_the_processor_does() -> None:
    options = load_recipe("default").augment.model_copy(update={"noise": 0.0})  # another generator
    drawn = [draw_change(options, 0.3, np.ones(3, bool), (0, 0, k)) for k in range(32)]
    images, bits = torch.randn(32, 3, 64, 64), torch.randint(0, 2, (32, 64, 64), dtype=torch.uint8)
    changes, there = arrange_batch(drawn), arrange_batch(drawn).on(torch.device("cuda"))
    moved, labels = move(images, bits, changes)
    torch.cuda.set_sync_debug_mode("error")
    try:
        ours = images.cuda(non_blocking=True), bits.cuda(non_blocking=True)
        found, found_labels = move(*ours, there)
        found = shade(found, there)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(found.cpu(), shade(moved, changes), rtol=1e-3, atol=1e-3)
    assert (found_labels.cpu() != labels).float().mean() < 1e-3  # a nearest pixel may tip over
