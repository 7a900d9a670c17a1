"""What a prediction says of itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gliomask.core.prediction import Interval, Prediction


def prediction(*, has_world: bool) -> Prediction:
    mask = np.zeros((4, 3, 2), np.uint8)
    mask[:2] = 1
    return Prediction(
        case="a",
        mask=mask,
        regions=("whole",),
        probabilities=None,
        affine=np.diag([2.0, 3.0, 5.0, 1.0]),
        has_world=has_world,
        voxels={"whole": 12},
        used=("flair",),
        missing=(),
        model="m",
    )


def test_volume_by_hand() -> None:
    volumes = prediction(has_world=True).volumes_ml
    assert volumes is not None
    assert volumes["whole"] == pytest.approx(12 * 30 / 1000)


def test_pictures_have_no_volume() -> None:
    assert prediction(has_world=False).volumes_ml is None


def test_nothing_is_claimed_unsaid() -> None:
    plain = prediction(has_world=True)
    assert plain.notes == ()
    assert not plain.synthetic
    assert dict(plain.provenance) == {}
    assert dict(plain.intervals) == {}
    assert plain.disagreement is None
    assert plain.reliability is None


def test_an_interval_in_millilitres_by_hand() -> None:
    bounds = {"whole": Interval(10.0, 20.0, 0.9, 12)}
    found = replace(prediction(has_world=True), intervals=bounds).intervals_ml
    assert found is not None
    assert found["whole"] == pytest.approx((0.3, 0.6))
    assert replace(prediction(has_world=False), intervals=bounds).intervals_ml is None


def test_an_interval_says_whether_it_was_measured() -> None:
    assert Interval(1.0, 2.0, 0.9, 12).calibrated
    assert not Interval(1.0, 2.0, None, 0).calibrated
