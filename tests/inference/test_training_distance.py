"""How strange the intensities of a case are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gliomask.core.intensity import foreground_level
from gliomask.core.slices import to_slices
from gliomask.core.volume import Volume
from gliomask.inference.training_distance import (
    LEVELS,
    describe_intensities,
    distance,
    head_quantiles,
)
from tests.fakes import head_volume


def test_quantiles_are_those_of_the_head() -> None:
    stack = to_slices(head_volume())
    found = head_quantiles(stack)
    assert set(found) == {"t1", "flair"}
    image = stack.array[:, 1]
    head = image[image > foreground_level(image)]
    np.testing.assert_allclose(found["flair"], np.quantile(head.astype(float), LEVELS))


def test_a_description_by_hand() -> None:
    """Quantiles of two cases 1 apart: deviation and distance are sqrt(1/2)."""
    rows = [{"t1": np.arange(5.0)}, {"t1": np.arange(5.0) + 1}, {"t2": np.zeros(5)}]
    found = describe_intensities(rows)
    assert set(found) == {"t1"}  # one case of T2 says nothing of others
    known = found["t1"]
    assert known.mean == (0.5, 1.5, 2.5, 3.5, 4.5)
    assert known.deviation == pytest.approx((np.sqrt(0.5),) * 5, abs=1e-6)
    assert known.distance is not None
    assert known.distance.high == pytest.approx(np.sqrt(0.5), abs=1e-5)
    assert distance(np.arange(5.0) + 0.5 + np.sqrt(2), known) == pytest.approx(2.0, abs=1e-5)


def test_equal_cases_leave_room_for_others() -> None:
    known = describe_intensities([{"t1": np.zeros(5)}] * 3)["t1"]
    assert distance(np.full(5, 0.02), known) == pytest.approx(1.0)


def test_scale_and_offset_of_a_scanner_do_not_matter_but_contrast_does() -> None:
    volume = head_volume()
    rows = []
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(0, 3, volume.array.shape).astype(np.float32)
        one = Volume(volume.array + noise, volume.affine, volume.sequences)
        rows.append(head_quantiles(to_slices(one)))
    known = describe_intensities(rows)["flair"]
    assert known.distance is not None

    def away(array: np.ndarray) -> float:
        changed = replace(volume, array=array.astype(np.float32))
        return distance(head_quantiles(to_slices(changed))["flair"], known)

    assert away(7 * volume.array + 30) == pytest.approx(away(volume.array), abs=0.1)
    assert away(np.exp(volume.array / 60)) > 5 * known.distance.high
