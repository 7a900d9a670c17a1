"""All figures of an evaluation together."""

from __future__ import annotations

import csv
import io
import json

import pytest

from gliomask.statistics.analysis import SIZE, analyse, analysis_keys
from gliomask.statistics.summary_tables import groups_csv, scores_csv
from tests.report.evaluation.judged import analysis, pair, scores

CASES = [f"p{k}" for k in range(6)]


def test_everything_is_worked_out() -> None:
    found = analysis(CASES)
    assert found.regions == ("whole", "enhancing")
    assert found.volume_unit == "ml"
    assert set(found.strata) == {SIZE, "site"}
    assert [one.label for one in found.strata["site"].strata] == ["A", "B"]
    assert found.agreement["whole"].n == 6
    raw, mended = found.calibration["whole"]
    assert raw[0] == "uncalibrated"
    assert mended[0] == "calibrated (T = 2.00)"
    assert raw[1].temperature == 0.5  # takes back what the card has done


def test_volumes_of_pictures_are_pixels() -> None:
    found = analysis(CASES, world=False)
    assert found.volume_unit == "px"
    point = found.agreement["whole"].points[0]
    assert point.mean == pytest.approx(3 * 6 * 6)
    assert any("px" in one.label for one in found.strata[SIZE].strata)


def test_one_case_without_millimetres_makes_all_pixels() -> None:
    mixed = [*scores(["a"]), *scores(["b"], world=False)]
    assert analyse(mixed).volume_unit == "px"


def test_what_all_patients_share_groups_nobody() -> None:
    found = analyse(scores(["a", "b"]), {"a": {"site": "X"}, "b": {"site": "X"}})
    assert "site" not in found.strata


def test_it_is_plain_json() -> None:
    keys = analysis_keys(analysis(CASES))
    text = json.dumps(keys, allow_nan=False)
    back = json.loads(text)
    assert back["dice"]["whole"]["n"] == 6
    assert back["strata"]["site"]["dice"]["A"]["n"] == 3
    assert "points" not in back["agreement"]["whole"]
    assert set(back["calibration"]["whole"]) == {"uncalibrated", "calibrated (T = 2.00)"}


def test_tables_hold_the_same_figures() -> None:
    found = analysis(CASES)
    rows = list(csv.DictReader(io.StringIO(scores_csv(found))))
    (dice,) = [r for r in rows if (r["region"], r["score"]) == ("whole", "dice")]
    assert float(dice["mean"]) == pytest.approx(found.summary.mean("dice", "whole"), abs=1e-6)
    assert (dice["n"], dice["n_empty"]) == ("6", "0")
    groups = list(csv.DictReader(io.StringIO(groups_csv(found))))
    assert [r["group"] for r in groups if r["grouped_by"] == "site"] == ["A", "B"]


def test_a_pair_by_hand() -> None:
    """Two cubes of 3 x 8 x 8, one shifted by 2 rows: 2 * 3*6*8 / (2 * 3*8*8)."""
    one = pair("p", shift=2, side=8)
    found = analyse(scores(["p"]))  # the last one is not shifted
    assert found.summary.mean("dice", "whole") == 1.0
    assert (one.reference > 0).sum() == 192
