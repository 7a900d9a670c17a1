"""Flips are exact, the rest is one interpolation, and labels stay labels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gliomask.learning.augment import WARP_POINTS, Augmentation
from gliomask.learning.augment_batch import arrange_batch
from gliomask.learning.augment_geometry import move

KEPT = np.ones(2, bool)
STAY = Augmentation(KEPT)


def batch(count: int = 3, size: int = 16) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(count, 2, size, size)).astype(np.float32)
    bits = rng.choice(np.array([0, 1, 3, 7], np.uint8), (count, size, size))
    return torch.from_numpy(images), torch.from_numpy(bits)


def test_flips_are_exact_and_each_samples_own() -> None:
    images, bits = batch()
    changes = [
        Augmentation(KEPT, flip_horizontal=True),
        Augmentation(KEPT, flip_vertical=True),
        STAY,
    ]
    moved, labels = move(images, bits, arrange_batch(changes))
    assert torch.equal(moved[0], images[0].flip(-1))
    assert torch.equal(labels[0], bits[0].flip(-1))
    assert torch.equal(moved[1], images[1].flip(-2))
    assert torch.equal(labels[1], bits[1].flip(-2))
    assert torch.equal(moved[2], images[2])


def test_a_quarter_turn_is_a_quarter_turn() -> None:
    images, bits = batch()
    turn = np.array([[0, -1, 0], [1, 0, 0]], np.float32)
    moved, labels = move(images, bits, arrange_batch([Augmentation(KEPT, affine=turn), STAY, STAY]))
    # Output (x, y) comes from (-y, x): that is a quarter turn.
    torch.testing.assert_close(moved[0], torch.rot90(images[0], 1, (-2, -1)))
    assert torch.equal(labels[0], torch.rot90(bits[0], 1, (-2, -1)))
    assert torch.equal(moved[1:], images[1:])
    assert torch.equal(labels[1:], bits[1:])


def test_a_flip_comes_before_a_shift() -> None:
    images, bits = batch(1)
    shift = np.array([[1, 0, 2 / 16], [0, 1, 0]], np.float32)  # from one pixel to the right
    moved, labels = move(
        images, bits, arrange_batch([Augmentation(KEPT, flip_horizontal=True, affine=shift)])
    )
    flipped = images.flip(-1)
    torch.testing.assert_close(moved[..., :-1], flipped[..., 1:])
    torch.testing.assert_close(moved[..., -1], flipped[..., -1])  # the edge goes on
    assert torch.equal(labels[..., :-1], bits.flip(-1)[..., 1:])
    assert int(labels[..., -1].sum()) == 0  # beyond it there is no tumour


def test_an_even_warp_is_a_shift() -> None:
    images, bits = batch(1)
    points = np.zeros((2, WARP_POINTS, WARP_POINTS), np.float32)
    points[1] = 2 / 16  # down by a pixel
    moved, _ = move(images, bits, arrange_batch([Augmentation(KEPT, warp=points)]))
    torch.testing.assert_close(moved[..., 2:-2, :], images[..., 3:-1, :], atol=1e-4, rtol=0)


def test_labels_stay_labels() -> None:
    images, bits = batch(1)
    rng = np.random.default_rng(1)
    points = rng.normal(0, 0.05, (2, WARP_POINTS, WARP_POINTS)).astype(np.float32)
    turn = np.array([[0.9, -0.3, 0.1], [0.3, 0.9, 0]], np.float32)
    moved, labels = move(
        images, bits, arrange_batch([Augmentation(KEPT, affine=turn, warp=points)])
    )
    assert set(labels.flatten().tolist()) <= {0, 1, 3, 7}
    assert labels.dtype == torch.uint8
    assert bool(torch.isfinite(moved).all())
    assert not torch.equal(moved, images)
