"""A known shading is found and taken out."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.alignment.bias import correct_bias
from gliomask.core.volume import FloatArray
from gliomask.errors import StoppedError
from gliomask.jobs.control import Control
from tests.alignment.blobs import scan
from tests.alignment.grids import Shape, centred, world

SHAPE: Shape = (22, 25, 20)
AFFINE = centred(SHAPE, (8, 8, 8))


def unevenness(one: FloatArray, other: FloatArray) -> float:
    """How unevenly an image is brighter than another, over the head."""
    head = scan(SHAPE, AFFINE, "flair") > 50
    return float(np.std(np.log(one[head] / other[head])))


def test_a_shading_is_taken_out() -> None:
    """What N4 takes of a head that is uneven by itself, it takes of the shaded one as well."""
    plain = scan(SHAPE, AFFINE, "flair")
    field = np.exp(world(SHAPE, AFFINE)[0] / 200).astype(np.float32)  # 0.7 to 1.4 over the head
    shaded = plain * field
    corrected = correct_bias(shaded, AFFINE)
    assert corrected.dtype == np.float32
    assert corrected.shape == SHAPE
    assert unevenness(shaded, plain) > 0.15
    assert unevenness(corrected, correct_bias(plain, AFFINE)) < 0.03
    assert np.log(corrected / shaded)[plain > 50].mean() == pytest.approx(0, abs=0.01)


def test_air_stays_zero() -> None:
    stripped = scan(SHAPE, AFFINE, "flair")
    stripped[stripped < 50] = 0
    corrected = correct_bias(stripped, AFFINE)
    np.testing.assert_array_equal(corrected == 0, stripped == 0)


def test_what_is_normalised_already_is_refused() -> None:
    with pytest.raises(ValueError, match="negative intensities"):
        correct_bias(scan(SHAPE, AFFINE, "flair") - 100, AFFINE)


def test_a_stop_does_not_wait_for_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.alignment.bias._GRID_MM", 0.01)  # every voxel
    monkeypatch.setattr("gliomask.alignment.bias.POLL_S", 0.001)
    with pytest.raises(StoppedError):
        correct_bias(scan(SHAPE, AFFINE, "flair"), AFFINE, Control(stop_requested=lambda: True))
