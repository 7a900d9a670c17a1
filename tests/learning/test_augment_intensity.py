"""Intensity changes by hand-computed numbers, and each sample's noise is its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from gliomask.learning.augment import Augmentation
from gliomask.learning.augment_batch import arrange_batch
from gliomask.learning.augment_intensity import shade

STAY = Augmentation(np.ones(2, bool))


def images(count: int = 2) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.normal(size=(count, 2, 32, 32)).astype(np.float32))


def pair(first: float, second: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array([first, second], np.float32)


def test_nothing_drawn_changes_nothing() -> None:
    before = images()
    assert shade(before, arrange_batch([STAY, STAY])) is before


def test_gain_and_shift_of_each_channel() -> None:
    before = images()
    change = replace(STAY, gain=pair(1.5, 0.5), shift=pair(0.25, -1.0))
    after = shade(before, arrange_batch([STAY, change]))
    assert torch.equal(after[0], before[0])
    torch.testing.assert_close(after[1, 0], (before[1, 0] * 1.5 + 0.25).clamp(-5, 5))
    torch.testing.assert_close(after[1, 1], before[1, 1] * 0.5 - 1)


def test_values_stay_within_those_of_the_store() -> None:
    after = shade(
        images(), arrange_batch([replace(STAY, gain=pair(100, 100), shift=pair(0, 0))] * 2)
    )
    assert float(after.abs().max()) == 5.0


def test_gamma_keeps_the_extremes_and_bends_the_middle() -> None:
    ramp = torch.linspace(-1, 3, 32).expand(1, 2, 32, 32)
    after = shade(ramp, arrange_batch([replace(STAY, gamma=pair(2.0, 1.0))]))
    torch.testing.assert_close(after[0, 1], ramp[0, 1])
    expected = 4 * torch.linspace(0, 1, 32) ** 2 - 1
    torch.testing.assert_close(after[0, 0, 5], expected)


def test_an_even_shading_is_a_factor_above_the_darkest_pixel() -> None:
    before = images(1).clamp(-1, 1)
    field = np.full((2, 4, 4), np.log(1.5), np.float32)
    after = shade(before, arrange_batch([replace(STAY, bias=field)]))
    low = before.amin((2, 3), keepdim=True)
    torch.testing.assert_close(after, (before - low) * 1.5 + low)


def test_blur_spreads_a_point_and_keeps_its_sum() -> None:
    point = torch.zeros(1, 2, 128, 128)
    point[0, :, 60, 40] = 1.0
    after = shade(point, arrange_batch([replace(STAY, blur=1.0)]))[0, 0]
    torch.testing.assert_close(after.sum(), torch.tensor(1.0))
    neighbour, centre = after[60, 41], after[60, 40]
    torch.testing.assert_close(neighbour / centre, torch.exp(torch.tensor(-0.5)))
    torch.testing.assert_close(after[61, 41], neighbour**2 / centre)


def test_blur_has_its_width_on_a_fine_grid() -> None:
    """1.2 pixels of a 128² image are 4.8 of a 512² image."""
    point = torch.zeros(1, 2, 512, 512)
    point[0, :, 256, 256] = 1.0
    row = shade(point, arrange_batch([replace(STAY, blur=1.2)]))[0, 0].sum(0)
    places = torch.arange(512.0) - 256
    assert abs(float((row * places**2).sum().sqrt()) - 4.8) < 0.05


def test_noise_does_not_depend_on_the_neighbours() -> None:
    before = torch.zeros(2, 2, 64, 64)
    noisy = replace(STAY, noise=0.5, noise_seed=11)
    alone = shade(before[:1], arrange_batch([noisy]))
    beside = shade(before, arrange_batch([replace(STAY, noise=1.0, noise_seed=3), noisy]))
    assert torch.equal(alone[0], beside[1])
    assert abs(float(alone.std()) - 0.5) < 0.02


def test_a_channel_that_is_left_out_is_zero_after_all_else() -> None:
    change = replace(STAY, kept=np.array([True, False]), shift=pair(1, 1), gain=pair(1, 1))
    after = shade(images(1), arrange_batch([change]))
    assert bool((after[0, 1] == 0).all())
    assert bool((after[0, 0] != 0).any())
