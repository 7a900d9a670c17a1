"""Specks, and masks at the ends of the scan."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.core.prediction import Prediction
from gliomask.core.slices import to_slices
from gliomask.core.volume import Affine
from gliomask.inference.mask_checks import components, edges
from tests.fakes import head_volume

MILLIMETRE: Affine = np.eye(4)


def prediction(mask: np.ndarray, affine: Affine = MILLIMETRE, world: bool = True) -> Prediction:
    return Prediction(
        case="a",
        mask=mask.astype(np.uint8),
        regions=("whole",),
        probability_maps=None,
        affine=affine,
        has_world=world,
        voxels={"whole": int(mask.sum())},
        used=("t1",),
        missing=(),
        model="m",
    )


def blocks(*sizes: int) -> np.ndarray:
    """Rows of so many voxels each, apart from each other."""
    mask = np.zeros((60, 20, 3), bool)
    for k, size in enumerate(sizes):
        mask[:size, 2 * k] = np.array([True, False, False])
    return mask


@pytest.mark.parametrize(
    ("sizes", "level", "code"),
    [((51,), None, ""), ((50,), "amber", "only_specks"), ((51, 3), "green", "specks")],
)
def test_specks_are_parts_of_up_to_50_mm3(sizes: tuple[int], level: str | None, code: str) -> None:
    found = [(reason.level, reason.code) for reason in components(prediction(blocks(*sizes)))]
    assert found == ([] if level is None else [(level, code)])


def test_the_single_precision_of_headers_does_not_decide() -> None:
    """An affine in single precision makes 50 voxels of 1 mm³ a little larger than 50 mm³."""
    single = np.diag([*[float(np.nextafter(np.float32(1), np.float32(2)))] * 3, 1.0])
    (reason,) = components(prediction(blocks(50), single))
    assert reason.code == "only_specks"


def test_specks_go_by_volume_and_by_voxels_without_a_world() -> None:
    coarse = np.diag([2.0, 1.0, 1.0, 1.0])
    assert not list(components(prediction(blocks(40), coarse)))
    (reason,) = components(prediction(blocks(40), coarse, world=False))
    assert "at most 50 voxels" in reason.text


def test_corners_join_parts() -> None:
    mask = blocks(30)
    mask[30:60, 1, 1] = True  # touches the end of the row by a corner
    assert not list(components(prediction(mask)))


def test_an_empty_mask_has_nothing_odd() -> None:
    mask = np.zeros((24, 20, 8), bool)
    assert not list(components(prediction(mask)))
    assert not list(edges(mask, to_slices(head_volume()).record))


@pytest.mark.parametrize(
    ("at", "name"),
    [
        (np.s_[12, 10, 0], "lowest slice"),
        (np.s_[12, 10, 7], "highest slice"),
        (np.s_[12, 19, 4], "front"),
        (np.s_[12, 0, 4], "back"),
        (np.s_[23, 10, 4], "right"),
        (np.s_[0, 10, 4], "left"),
    ],
)
def test_ends_are_named_by_the_patients_axes(at: tuple[int, int, int], name: str) -> None:
    """The head's axes are R, A, S and the crop is the whole slice."""
    record = to_slices(head_volume()).record
    assert record.box == (0, 20, 0, 24)
    mask = np.zeros((24, 20, 8), bool)
    mask[at] = True
    (reason,) = edges(mask, record)
    assert reason.level == "amber"
    assert name in reason.text
    assert "(1 voxels)" in reason.text
