"""A head that has moved by a known amount is brought back, or the finding is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.alignment.registration import ImplausibleError, register_rigid
from gliomask.errors import StoppedError
from gliomask.jobs.control import Control
from tests.alignment.blobs import apart, scan
from tests.alignment.grids import Shape, centred, moved, turned

SHAPE: Shape = (54, 64, 52)
AFFINE = centred(SHAPE, (3, 3, 3))
FLAIR = scan(SHAPE, AFFINE, "flair", seed=1)
MOVED = moved(4, -3, 6) @ turned(7)
"""Takes the moving series' millimetres to those of FLAIR."""


def test_a_moved_head_of_another_contrast_is_brought_back() -> None:
    shape: Shape = (64, 50, 40)
    affine = turned(10, (1, 0, 0)) @ centred(shape, (2.7, 3.5, 4))
    moving = scan(shape, MOVED @ affine, "t1", seed=2)
    found = register_rigid(moving, affine, FLAIR, AFFINE)
    assert apart(np.eye(4), MOVED) > 10
    assert apart(found.transform, MOVED) < 0.5
    assert found.degrees == pytest.approx(7, abs=0.3)
    assert found.mm == pytest.approx(np.linalg.norm([4, -3, 6]), abs=0.3)
    assert found.after > 1.2 * found.before
    again = register_rigid(moving, affine, FLAIR, AFFINE)
    np.testing.assert_array_equal(again.transform, found.transform)
    assert again.after == found.after


def test_a_head_that_has_not_moved_stays_exactly() -> None:
    found = register_rigid(scan(SHAPE, AFFINE, "t1", seed=2), AFFINE, FLAIR, AFFINE)
    np.testing.assert_array_equal(found.transform, np.eye(4))
    assert found.before == found.after > 0
    assert found.degrees == found.mm == 0


def test_what_cannot_be_true_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.alignment.registration.MOST_MM", 5.0)
    moving = scan(SHAPE, MOVED @ AFFINE, "t1", seed=2)
    with pytest.raises(
        ImplausibleError, match=r"rotates by 6\.\d degrees and a translation of 7\.\d mm"
    ):
        register_rigid(moving, AFFINE, FLAIR, AFFINE)


def test_images_that_do_not_overlap_are_refused() -> None:
    far = moved(900, 0, 0) @ AFFINE
    with pytest.raises(ImplausibleError, match="no registration"):
        register_rigid(FLAIR, far, FLAIR, AFFINE)


def test_a_stop_ends_the_search_between_two_iterations() -> None:
    """The search takes dozens; after the one that it is stopped at, at most one more level."""
    looks = []

    def stop_requested() -> bool:
        looks.append(1)
        return len(looks) > 2

    moving = scan(SHAPE, MOVED @ AFFINE, "t1", seed=2)
    with pytest.raises(StoppedError):
        register_rigid(moving, AFFINE, FLAIR, AFFINE, Control(stop_requested=stop_requested))
    assert 3 < len(looks) <= 6
