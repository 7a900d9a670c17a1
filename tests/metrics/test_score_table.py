"""The tables of an evaluation."""

from __future__ import annotations

import csv
import io

import pytest

from gliomask.core.csv_table import csv_text
from gliomask.metrics.lesions import LesionScore
from gliomask.metrics.overlap_counts import Overlap
from gliomask.metrics.score_table import COLUMNS, metrics_csv
from gliomask.metrics.scores import CaseScore
from gliomask.metrics.slicewise import SliceScore
from gliomask.metrics.surface_distances import SurfaceScore

SLICES = SliceScore(tumour=2, dice_sum=1.0, free=4, invented=1)


def score(
    case: str, patient: str, counts: tuple[int, int, int], voxel_ml: float | None = 0.25
) -> CaseScore:
    return CaseScore(case, patient, "whole", Overlap(*counts), SLICES, voxel_ml)


SCORES = [
    score("a-1", "a", (4, 4, 4)),  # Dice 1
    score("a-2", "a", (4, 4, 2)),  # Dice 0.5
    score("b-1", "b", (4, 0, 0)),  # missed: 0
    score("c-1", "c", (0, 0, 0)),  # nothing there, nothing found: none
]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_metrics_by_hand() -> None:
    table = rows(metrics_csv(SCORES))
    assert tuple(table[0]) == COLUMNS
    assert [row["dice"] for row in table] == ["1.000000", "0.500000", "0.000000", ""]
    assert table[1]["volume_reference_ml"] == "1.000000"
    assert table[1]["volume_predicted_px"] == "4"


def test_columns_stay_without_millimetres() -> None:
    (row,) = rows(metrics_csv([score("a", "a", (4, 3, 2), voxel_ml=None)]))
    assert tuple(row) == COLUMNS
    assert row["volume_reference_ml"] == row["volume_predicted_ml"] == ""
    assert (row["volume_reference_px"], row["volume_predicted_px"]) == ("4", "3")


def test_first_columns_are_promised() -> None:
    assert COLUMNS[:12] == (
        "case",
        "patient",
        "region",
        "dice",
        "iou",
        "sensitivity",
        "precision",
        "volume_reference_ml",
        "volume_predicted_ml",
        "hd95_mm",
        "assd_mm",
        "nsd_2mm",
    )
    assert len(set(COLUMNS)) == len(COLUMNS)


def test_lengths_stand_under_their_unit() -> None:
    surface = SurfaceScore(hd95=3.5, assd=1.25, nsd_1=0.5, nsd_2=0.75, unit="px")
    lesions = LesionScore(0.5, 187.0, found=1, missed=2, invented=3, dropped=4, unit="px")
    one = CaseScore("a", "a", "whole", Overlap(4, 3, 2), SLICES, None, surface, lesions)
    (row,) = rows(metrics_csv([one]))
    assert {name: row[f"{name}_px"] for name in ("hd95", "assd", "lesion_hd95")} == {
        "hd95": "3.500000",
        "assd": "1.250000",
        "lesion_hd95": "187.000000",
    }
    assert (row["nsd_1px"], row["nsd_2px"]) == ("0.500000", "0.750000")
    assert (row["lesions_found"], row["lesions_missed"], row["lesions_invented"]) == tuple("123")
    assert {value for name, value in row.items() if name.endswith(("mm", "ml"))} == {""}
    assert row["volume_error_percent"] == "-25.000000"


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2", "@sum", "\tx"])
def test_formulas_are_disarmed(name: str) -> None:
    (row,) = rows(csv_text(("case", "n"), [(name, -2)]))
    assert row["case"] == "'" + name
    assert row["n"] == "-2"


def test_commas_and_quotes_survive() -> None:
    (row,) = rows(csv_text(("case",), [('a, "b"\nc',)]))
    assert row["case"] == 'a, "b"\nc'
