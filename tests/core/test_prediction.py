"""What a prediction says of itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gliomask.core.prediction import Prediction, VolumeInterval


def prediction(*, has_world: bool) -> Prediction:
    mask = np.zeros((4, 3, 2), np.uint8)
    mask[:2] = 1
    return Prediction(
        case="a",
        mask=mask,
        regions=("whole",),
        probability_maps=None,
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


def test_volumes_that_hold_nine_in_ten_are_those_of_measured_intervals() -> None:
    intervals = {
        "whole": VolumeInterval((10.0, 20.0), (0.3, 0.6), 0.9, 12, calibrated=True),
        "core": VolumeInterval((10.0, 20.0), (0.3, 0.6), None, 0, calibrated=False),
        "enhancing": VolumeInterval((10.0, 20.0), None, 0.9, 12, calibrated=True),
    }
    found = replace(prediction(has_world=True), intervals=intervals)
    assert found.volumes_ml_90 == {"whole": (0.3, 0.6)}


def test_its_text_contains_no_array() -> None:
    text = repr(prediction(has_world=True))
    assert "array(" not in text
    assert "regions=('whole',)" in text
