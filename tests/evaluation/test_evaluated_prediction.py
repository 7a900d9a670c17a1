"""Keys of evaluated predictions: an interrupted evaluation continues only with the same model."""

from __future__ import annotations

from typing import Any

import pytest

from gliomask.evaluation.evaluated_prediction import PredictionTask
from gliomask.evaluation.reference_cases import Examination, Subject
from gliomask.inference.predictor import Predictor
from gliomask.jobs.control import Control
from tests.fakes import BrightEngine, fake_card


def never(control: Control) -> Examination:
    raise AssertionError("a key needs no images")


SUBJECT = Subject("P1", "P1", ("whole",), False, None, {}, "1", never)


def key(**changes: Any) -> str:
    return PredictionTask(Predictor(BrightEngine(), fake_card(**changes)), SUBJECT).key


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 0.4},
        {"temperature": 2.0},
        {"clean_up": {"below_ml": 1.0, "below_probability": 0.8}},
        {"mirrored": True, "recipe": {"augment": {"flip_horizontal": 0.5}}},
        {"slice_smoothing_mm": 1.5},
        {"planes": ("axial", "coronal")},
        {"weights_sha256": "0" * 64},
    ],
)
def test_every_change_that_may_change_the_mask_changes_the_key(changes: dict[str, Any]) -> None:
    assert key() == key()
    assert key(**changes) != key()
