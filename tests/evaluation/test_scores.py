"""One case judged, region by region."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.core.labels import REGIONS
from gliomask.evaluation.overlap import Overlap
from gliomask.evaluation.scores import MaskPair, score_case

REFERENCE = np.array([[[1, 2, 3, 0]], [[2, 2, 0, 0]], [[0, 0, 0, 0]]], np.uint8)
PREDICTED = np.array([[[3, 2, 3, 0]], [[0, 0, 0, 0]], [[0, 0, 2, 0]]], np.uint8)


def pair(annotated: list[bool] | None = None, voxel_ml: float | None = 0.5) -> MaskPair:
    known = None if annotated is None else np.array(annotated)
    return MaskPair("case", "patient", REFERENCE, PREDICTED, known, voxel_ml)


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


def test_no_millimetres_no_volumes() -> None:
    (whole,) = score_case(pair(voxel_ml=None), ("whole",))
    assert whole.volume_reference_ml is None
    assert whole.volume_predicted_ml is None


def test_slices_nobody_annotated_are_not_scored() -> None:
    (whole,) = score_case(pair(annotated=[True, True, False]), ("whole",))
    assert whole.overlap == Overlap(reference=5, predicted=3, both=3)
    assert whole.slices.free == 0
    assert whole.slices.tumour == 2


def test_shapes_must_agree() -> None:
    wrong = MaskPair("c", "p", REFERENCE, PREDICTED[:2], None, None)
    with pytest.raises(ValueError, match="shapes"):
        score_case(wrong, ("whole",))
