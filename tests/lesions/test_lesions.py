"""Connected components: which voxels hang together, and the figures of each."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.lesions.lesions import find_lesions
from tests.lesions.shapes import affine, block


def test_an_empty_mask_has_no_lesions() -> None:
    found = find_lesions(np.zeros((4, 5, 6), bool), np.eye(4))
    assert (found.found, found.tiny) == ((), ())
    assert found.labels.shape == (4, 5, 6)
    assert not found.labels.any()


def test_voxels_that_share_a_corner_hang_together() -> None:
    mask = np.zeros((6, 6, 6), bool)
    mask[1, 1, 1] = mask[2, 2, 2] = mask[5, 5, 4] = True
    found = find_lesions(mask, np.eye(4), tiny_ml=0.0)
    assert [lesion.voxels for lesion in found.found] == [2, 1]


def test_the_figures_of_a_block() -> None:
    # 4 x 3 x 2 voxels of 2 x 1 x 3 mm; the centres' mean is at index (3.5, 3, 2.5).
    mask = block((10, 9, 8), (2, 6), (2, 5), (2, 4))
    (lesion,) = find_lesions(mask, affine(2.0, 1.0, 3.0)).found
    assert lesion.voxels == 24
    assert lesion.volume_ml == pytest.approx(24 * 6 / 1000)
    assert lesion.centroid_mm == pytest.approx((-30 + 7, 12.5 + 3, 7 + 7.5))
    assert lesion.box == ((2, 6), (2, 5), (2, 4))
    assert lesion.extent_mm == (8.0, 3.0, 6.0)
    assert not lesion.touches_border
    assert lesion.crop(find_lesions(mask, np.eye(4)).labels).all()


def test_sheared_voxels_have_the_volume_of_the_determinant() -> None:
    sheared = np.eye(4)
    sheared[0, 1] = 3.0  # leaves the determinant at 1, lengthens the second column
    (lesion,) = find_lesions(block((5, 5, 5), (0, 5), (0, 5), (0, 5)), sheared).found
    assert lesion.volume_ml == pytest.approx(0.125)


@pytest.mark.parametrize("side", [((0, 4), (2, 6), (2, 6)), ((2, 6), (2, 6), (4, 8))])
def test_says_that_a_lesion_touches_the_border(side: tuple[tuple[int, int], ...]) -> None:
    (lesion,) = find_lesions(block((8, 8, 8), *side), np.eye(4)).found
    assert lesion.touches_border


def test_sorted_by_volume_and_numbered_so() -> None:
    mask = block((20, 20, 20), (1, 5), (1, 5), (1, 5)) | block(
        (20, 20, 20), (8, 15), (8, 15), (8, 15)
    )
    found = find_lesions(mask, np.eye(4))
    assert [(one.number, one.voxels) for one in found.found] == [(1, 343), (2, 64)]
    assert found.labels[10, 10, 10] == 1
    assert found.labels[2, 2, 2] == 2


def test_fifty_cubic_millimetres_are_tiny_and_one_more_is_not() -> None:
    mask = block((30, 12, 12), (1, 3), (1, 6), (1, 6)) | block(
        (30, 12, 12), (8, 11), (1, 18), (3, 4)
    )
    assert mask.sum() == 50 + 33
    found = find_lesions(mask, np.eye(4))
    assert found.found == ()
    assert [one.voxels for one in found.tiny] == [50, 33]
    mask[3, 3, 3] = True
    found = find_lesions(mask, np.eye(4))
    assert [one.voxels for one in found.found] == [51]
    # Single precision of a header makes 50 mm³ a little larger.
    rounded = find_lesions(block((5, 8, 8), (1, 3), (1, 6), (1, 6)), np.diag([1 + 1e-7, 1, 1, 1.0]))
    assert rounded.found == ()


def test_refuses_what_is_no_volume() -> None:
    with pytest.raises(ValueError, match="not \\(I, J, K\\)"):
        find_lesions(np.zeros((4, 4), bool), np.eye(4))
