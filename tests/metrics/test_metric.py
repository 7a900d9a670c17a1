"""What is told about each score."""

from __future__ import annotations

import pytest

from gliomask.metrics.metric import METRICS
from gliomask.metrics.overlap_counts import Overlap
from gliomask.metrics.scores import CaseScore
from gliomask.metrics.slicewise import SliceScore


@pytest.mark.parametrize("name", METRICS)
def test_names_and_units_agree(name: str) -> None:
    metric = METRICS[name]
    assert metric.name == name
    assert metric.label
    assert metric.decimals > 0
    if metric.unit == "%":
        assert name.endswith("_percent")
    elif metric.unit:
        assert name.endswith("_" + metric.unit)
    if "hd95" in name or "assd" in name:
        assert metric.higher_is_better is False
    elif "error" in name:
        assert metric.higher_is_better is None
    else:
        assert metric.higher_is_better is True


def test_what_was_not_measured_does_not_apply() -> None:
    row = CaseScore("c", "p", "whole", Overlap(4, 4, 2), SliceScore(), None)
    applying = {name for name, metric in METRICS.items() if metric.applies(row)}
    assert applying == {"dice", "iou", "sensitivity", "precision", "volume_error_percent"}
    assert {METRICS[name](row) for name in METRICS.keys() - applying} == {None}
    assert METRICS["dice"](row) == 0.5
