"""The four rows of the empty-mask policy."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.evaluation.overlap import overlap
from gliomask.evaluation.policy import POLICY

EMPTY = np.zeros((2, 2), bool)
FULL = np.ones((2, 2), bool)
METRICS = ("dice", "iou", "sensitivity", "precision")


@pytest.mark.parametrize(
    ("reference", "predicted", "expected"),
    [(EMPTY, EMPTY, None), (EMPTY, FULL, 0.0), (FULL, EMPTY, 0.0), (FULL, FULL, 1.0)],
)
@pytest.mark.parametrize("metric", METRICS)
def test_rows(
    reference: np.ndarray, predicted: np.ndarray, expected: float | None, metric: str
) -> None:
    assert getattr(overlap(reference, predicted), metric) == expected


def test_policy_says_what_it_does() -> None:
    assert POLICY.both_empty is None
    assert POLICY.one_empty == 0
    assert "no score" in POLICY.text
    assert "n_empty" in POLICY.text
