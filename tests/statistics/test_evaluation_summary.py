"""The summary of an evaluation."""

from __future__ import annotations

import json

import pytest

from gliomask.metrics.lesions import LesionScore
from gliomask.metrics.overlap_counts import Overlap
from gliomask.metrics.policy import POLICY
from gliomask.metrics.scores import CaseScore
from gliomask.metrics.slicewise import SliceScore
from gliomask.metrics.surface_distances import SurfaceScore, Unit
from gliomask.statistics.evaluation_summary import summarise_scores, summary_keys

SLICES = SliceScore(tumour=2, dice_sum=1.0, free=4, invented=1, invented_px=5, invented_mm2=2.5)


def score(case: str, patient: str, counts: tuple[int, int, int]) -> CaseScore:
    return CaseScore(case, patient, "whole", Overlap(*counts), SLICES, 0.25)


SCORES = [
    score("a-1", "a", (4, 4, 4)),  # Dice 1
    score("a-2", "a", (4, 4, 2)),  # Dice 0.5
    score("b-1", "b", (4, 0, 0)),  # missed: 0
    score("c-1", "c", (0, 0, 0)),  # nothing there, nothing found: none
]


def test_summary_is_over_patients() -> None:
    keys = summary_keys(summarise_scores(SCORES))
    assert (keys["n"], keys["n_empty"], keys["n_cases"]) == (2, 1, 4)
    dice = keys["dice"]
    assert isinstance(dice, dict)
    assert set(dice["whole"]) == {
        "n",
        "n_empty",
        "mean",
        "median",
        "p10",
        "p90",
        "min",
        "max",
        "ci95",
    }
    assert dice["whole"]["mean"] == pytest.approx(0.375)  # patients 0.75 and 0
    assert dice["whole"]["ci95"] == (0.0, 0.75)


def test_summary_says_policy_and_purpose() -> None:
    keys = summary_keys(summarise_scores(SCORES))
    assert keys["policy"] == POLICY.text
    assert keys["notice"] == "For research use only"


def test_summary_pools_slices() -> None:
    assert summary_keys(summarise_scores(SCORES))["slices"] == {
        "whole": {
            "n_tumour": 8,
            "dice_mean": 0.5,
            "n_tumour_free": 16,
            "false_positive_rate": 0.25,
            "false_positive_px_mean": 1.25,
            "false_positive_mm2_mean": 0.625,
        }
    }


def test_summary_is_strict_json() -> None:
    for scores in (SCORES, [SCORES[-1]], []):
        json.dumps(summary_keys(summarise_scores(scores)), allow_nan=False)


def test_mean() -> None:
    assert summarise_scores(SCORES).mean("dice", "whole") == pytest.approx(0.375)
    with pytest.raises(ValueError, match="no patient has a dice"):
        summarise_scores([SCORES[-1]]).mean("dice", "whole")


def test_regions_have_their_own_counts() -> None:
    core = CaseScore("a-1", "a", "core", Overlap(0, 0, 0), SLICES, 0.25)
    found = summarise_scores([SCORES[0], core])
    assert (found.n, found.n_empty) == (1, 0)
    assert found.metrics["dice"]["core"].n == 0
    assert found.metrics["dice"]["core"].n_empty == 1


def measured(patient: str, unit: Unit, hd95: float | None) -> CaseScore:
    surface = SurfaceScore(hd95, hd95, 0.5, 0.5, unit)
    lesions = LesionScore(0.5, hd95, found=1, missed=0, invented=2, dropped=3, unit=unit)
    voxel = 0.25 if unit == "mm" else None
    return CaseScore(patient, patient, "whole", Overlap(4, 4, 4), SLICES, voxel, surface, lesions)


def test_a_metric_that_nobody_has_is_absent() -> None:
    keys = summary_keys(summarise_scores([measured("a", "px", 2.0)]))
    assert {"hd95_px", "nsd_2px", "lesion_hd95_px", "lesion_dice"} <= keys.keys()
    assert not any(key.endswith(("mm", "_ml")) for key in keys)
    assert not any(
        "hd95" in key or "lesion_" in key for key in summary_keys(summarise_scores(SCORES))
    )


def test_units_are_never_mixed() -> None:
    found = summarise_scores([measured("a", "px", 2.0), measured("b", "mm", 5.0)])
    assert (found.mean("hd95_px", "whole"), found.mean("hd95_mm", "whole")) == (2.0, 5.0)
    # The other one's patient is no empty case.
    assert found.metrics["hd95_mm"]["whole"].n_empty == 0
    assert found.metrics["dice"]["whole"].n == 2


def test_lesions_are_counted_over_cases() -> None:
    scores = [measured("a", "mm", 2.0), measured("b", "mm", None), SCORES[0]]
    assert summary_keys(summarise_scores(scores))["lesions"] == {
        "whole": {"found": 2, "missed": 0, "invented": 4, "dropped": 6}
    }
