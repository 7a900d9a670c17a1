"""One case judged, region by region."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import TypeAdapter

from gliomask.core.regions import REGIONS
from gliomask.metrics.overlap_counts import Overlap
from gliomask.metrics.scores import CaseScore, MaskPair, score_case

REFERENCE = np.array([[[1, 2, 3, 0]], [[2, 2, 0, 0]], [[0, 0, 0, 0]]], np.uint8)
PREDICTED = np.array([[[3, 2, 3, 0]], [[0, 0, 0, 0]], [[0, 0, 2, 0]]], np.uint8)


def pair(annotated: list[bool] | None = None, voxel_ml: float | None = 0.5) -> MaskPair:
    known = None if annotated is None else np.array(annotated)
    spacing = None if voxel_ml is None else (5.0, 10.0, 10.0)
    return MaskPair("case", "patient", REFERENCE, PREDICTED, known, voxel_ml, spacing)


def test_regions_by_hand() -> None:
    whole, core, enhancing = score_case(pair(), tuple(REGIONS))
    assert whole.overlap == Overlap(reference=5, predicted=4, both=3)
    assert core.overlap == Overlap(reference=2, predicted=2, both=2)
    assert enhancing.overlap == Overlap(reference=1, predicted=2, both=1)
    assert [score.region for score in (whole, core, enhancing)] == list(REGIONS)


def test_volumes() -> None:
    (whole,) = score_case(pair(), ("whole",))
    assert whole.volume_reference_ml == 2.5
    assert whole.volume_predicted_ml == 2.0
    assert whole.volume_error_ml == -0.5
    assert whole.overlap.volume_error_percent == pytest.approx(-20)


def test_no_millimetres_no_volumes() -> None:
    (whole,) = score_case(pair(voxel_ml=None), ("whole",))
    assert whole.volume_reference_ml is None
    assert whole.volume_predicted_ml is None
    assert whole.volume_error_ml is None
    assert whole.surface is not None
    assert whole.surface.unit == "px"
    assert whole.lesions is not None
    assert whole.lesions.unit == "px"


def test_surface_and_lesions_of_a_volume() -> None:
    _, core, _ = score_case(pair(), tuple(REGIONS))
    assert core.surface is not None
    assert (core.surface.hd95, core.surface.nsd_1, core.surface.unit) == (0, 1, "mm")
    (whole,) = score_case(pair(), ("whole",))
    # One lesion of 5 voxels of 500 mm³; both components touch it.
    assert whole.lesions is not None
    assert whole.lesions.dice == pytest.approx(2 * 3 / 9)
    assert (whole.lesions.found, whole.lesions.invented) == (1, 0)


def test_invented_area_is_in_square_millimetres() -> None:
    (whole,) = score_case(pair(), ("whole",))
    assert (whole.slices.invented_px, whole.slices.invented_mm2) == (1, 100.0)


def test_lone_slices_have_surfaces_but_no_lesions() -> None:
    (whole,) = score_case(pair(annotated=[True, True, False]), ("whole",))
    assert whole.lesions is None
    assert whole.surface is not None
    assert whole.surface.in_plane
    # The first slice is exact (three pixels); in the second all is missed: its diagonal, 10 x 40.
    assert whole.surface.assd == pytest.approx((3 * 0 + 3 * 0 + 2 * math.hypot(10, 40)) / 8)
    assert whole.surface.nsd_1 == pytest.approx(6 / 8)


def test_slices_that_are_all_annotated_are_a_volume() -> None:
    assert score_case(pair(annotated=[True] * 3), ("whole",)) == score_case(pair(), ("whole",))


def test_a_single_slice_is_no_volume() -> None:
    one = MaskPair("c", "p", REFERENCE[:1], PREDICTED[:1], None, 0.5, (5.0, 10.0, 10.0))
    (whole,) = score_case(one, ("whole",))
    assert whole.lesions is None
    assert whole.surface is not None
    assert whole.surface.in_plane


@pytest.mark.parametrize("annotated", [None, [True, True, False], [False] * 3])
@pytest.mark.parametrize("voxel_ml", [0.5, None])
def test_scores_come_back_from_json(annotated: list[bool] | None, voxel_ml: float | None) -> None:
    scores = score_case(pair(annotated, voxel_ml), tuple(REGIONS))
    adapter = TypeAdapter(tuple[CaseScore, ...])
    text = adapter.dump_json(scores)
    assert b"NaN" not in text
    assert b"Infinity" not in text
    assert adapter.validate_json(text, strict=True) == scores


def test_a_voxel_has_a_volume_and_a_spacing_or_neither() -> None:
    with pytest.raises(ValueError, match="spacing"):
        MaskPair("c", "p", REFERENCE, PREDICTED, None, 0.5, None)
    with pytest.raises(ValueError, match="spacing"):
        MaskPair("c", "p", REFERENCE, PREDICTED, None, None, (1.0, 1.0, 1.0))


def test_slices_nobody_annotated_are_not_scored() -> None:
    (whole,) = score_case(pair(annotated=[True, True, False]), ("whole",))
    assert whole.overlap == Overlap(reference=5, predicted=3, both=3)
    assert whole.slices.free == 0
    assert whole.slices.tumour == 2


def test_shapes_must_agree() -> None:
    wrong = MaskPair("c", "p", REFERENCE, PREDICTED[:2], None, None, None)
    with pytest.raises(ValueError, match="shapes"):
        score_case(wrong, ("whole",))
