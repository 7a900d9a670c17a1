"""Neighbouring slices combined: weights by hand, and which slices are mirrored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gliomask.core.slices import SliceStack, to_slices
from gliomask.core.volume import FloatArray
from gliomask.inference.passes import Passes
from gliomask.inference.through_slices import combines, gaussian_weights, smooth
from gliomask.nets.cards import CLOSE_MM, HEAD_MM
from gliomask.statistics.temperature import adjusted_threshold
from tests.fakes import BrightEngine, fake_card, head_volume

BOTH = ("t1", "flair")
FLIPS: dict[str, Any] = {"recipe": {"augment": {"flip_horizontal": 0.5}}}


def stack(slice_mm: float = 1.0, height_mm: float = HEAD_MM, **changes: Any) -> SliceStack:
    """The slices of the test head again and again, over a height."""
    seen = to_slices(head_volume())
    axis = seen.record.turn.axes[0]
    affine, shape = seen.record.affine.copy(), list(seen.record.shape)
    affine[:3, axis] *= slice_mm / seen.record.slice_mm
    shape[axis] = int(np.ceil(height_mm / slice_mm))
    array = np.resize(seen.array, (shape[axis], *seen.array.shape[1:]))
    record = replace(seen.record, affine=affine, shape=(shape[0], shape[1], shape[2]))
    return replace(seen, array=array, record=record, **changes)


class SeenEngine(BrightEngine):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[FloatArray] = []

    def logits(self, inputs: FloatArray) -> FloatArray:
        self.seen.append(inputs.copy())
        return super().logits(inputs)


def test_weights_by_hand() -> None:
    """Slices 2 mm apart, sigma 2 mm: exp(-0) = 1, exp(-0.5) = 0.6065, exp(-2) = 0.1353."""
    weights = gaussian_weights(3, 2.0, 2.0)
    assert weights[0].tolist() == pytest.approx([0.5741, 0.3482, 0.0777], abs=1e-4)
    assert weights[1].tolist() == pytest.approx([0.2741, 0.4519, 0.2741], abs=1e-4)
    assert weights.sum(axis=1).tolist() == pytest.approx([1.0] * 3)


def test_smoothing_is_along_the_slices_only() -> None:
    maps = np.zeros((2, 3, 2, 2), np.float32)
    maps[0, 1, 0, 1] = 1.0
    smooth(maps, slice_mm=2.0, sigma_mm=2.0)
    assert maps[0, :, 0, 1].tolist() == pytest.approx([0.3482, 0.4519, 0.3482], abs=1e-4)
    assert maps.sum() == pytest.approx(0.3482 * 2 + 0.4519, abs=1e-4)


@pytest.mark.parametrize(
    ("sigma", "slice_mm", "changes", "expected"),
    [
        (1.5, 1.0, {}, True),
        (1.5, CLOSE_MM, {}, True),
        (1.5, CLOSE_MM + 0.1, {}, False),
        (0.0, 1.0, {}, False),
        (1.5, 1.0, {"consecutive": False}, False),
        (1.5, 1.0, {"height_mm": HEAD_MM - 1}, False),
    ],
)
def test_only_close_consecutive_slices_are_combined(
    sigma: float, slice_mm: float, changes: dict[str, Any], *, expected: bool
) -> None:
    card = fake_card(slice_smoothing_mm=sigma)
    assert combines(stack(slice_mm, **changes), card) is expected


def test_slices_without_a_voxel_size_are_not_combined() -> None:
    seen = stack()
    nowhere = replace(seen, record=replace(seen.record, has_world=False))
    assert not combines(nowhere, fake_card(slice_smoothing_mm=1.5))


def test_every_second_slice_is_mirrored_and_the_map_mirrored_back() -> None:
    """The engine marks what is bright, so mirroring changes what it sees, not the result."""
    engine, straight = SeenEngine(), SeenEngine()
    seen, narrow = stack(), fake_card(slice_smoothing_mm=0.01, **FLIPS)
    turned = Passes(engine, narrow).plain(seen, BOTH)
    plain = Passes(straight, fake_card(**FLIPS)).plain(seen, BOTH)
    np.testing.assert_allclose(turned, plain, atol=1e-6)
    shown, as_is = np.concatenate(engine.seen), np.concatenate(straight.seen)
    np.testing.assert_array_equal(shown[::2], as_is[::2])
    np.testing.assert_array_equal(shown[1::2], as_is[1::2, ..., ::-1])
    assert (shown[1::2] != as_is[1::2]).any()


def test_a_model_trained_without_flips_is_only_smoothed() -> None:
    engine, seen = SeenEngine(), stack()
    Passes(engine, fake_card(slice_smoothing_mm=1.5)).plain(seen, BOTH)
    straight = SeenEngine()
    before = Passes(straight, fake_card()).plain(seen, BOTH)
    np.testing.assert_array_equal(np.concatenate(engine.seen), np.concatenate(straight.seen))
    after = Passes(BrightEngine(), fake_card(slice_smoothing_mm=1.5)).plain(seen, BOTH)
    smooth(before, 1.0, 1.5)
    np.testing.assert_allclose(after, before, atol=1e-6)


@pytest.mark.parametrize("temperature", [1.0, 1.5])
def test_both_passes_have_the_same_map_and_count_its_voxels(temperature: float) -> None:
    card = fake_card(slice_smoothing_mm=1.5, temperature=temperature, **FLIPS)
    passes = Passes(BrightEngine(apart=3.0), card)
    opinions = passes.thorough(stack(), BOTH)
    np.testing.assert_array_equal(opinions.probabilities, passes.plain(stack(), BOTH))
    assert opinions.plain.tolist() == [passes.masks(opinions.probabilities).sum()]


def test_smoothing_comes_before_the_temperature() -> None:
    """So the temperature changes no mask at the threshold that is adjusted to it."""

    masks = []
    for temperature in (1.0, 2.0):
        threshold = adjusted_threshold(0.4, temperature)
        card = fake_card(slice_smoothing_mm=1.5, temperature=temperature, threshold=threshold)
        passes = Passes(BrightEngine(), card)
        masks.append(passes.masks(passes.plain(stack(), BOTH)))
    np.testing.assert_array_equal(masks[0], masks[1])
    assert masks[0].any()


def test_a_narrow_gaussian_takes_the_nearest_slice() -> None:
    weights = gaussian_weights(5, 3.0, 0.01, step=2)
    expected = [[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0.5], [0, 0, 1]]
    np.testing.assert_array_equal(weights, expected)
