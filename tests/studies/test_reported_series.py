"""Series and files that were taken for what they are not, as users report them, and their kin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.datasets.load import load_case
from gliomask.studies.find import audit
from gliomask.studies.survey import SurveyResult
from tests.formats.dicom.made import pixels, save, series
from tests.studies.test_dicom_study import FLAIR, PLAN, T1

# fmt: off
DIR: dict[str, Any] = {"SeriesDescription": "3D DIR", "ScanningSequence": ["SE", "IR"],
                       "EchoTime": 320.0, "RepetitionTime": 7500.0, "InversionTime": 3000.0}
# fmt: on


def add(folder: Path, number: int, tags: dict[str, Any], slices: int = 6, **more: Any) -> None:
    plan = replace(PLAN, slices=slices)
    save(folder / str(number), series(plan, pixels(plan, number), number, **{**tags, **more}))


def used(found: SurveyResult) -> dict[str | None, str]:
    return {one.sequence: one.series for one in found.series if one.used}


def reason(found: SurveyResult, number: int) -> str:
    return next(
        one.problems[0] for one in found.series if one.series.startswith(f"series {number} ")
    )


@pytest.mark.parametrize(
    ("description", "agent", "sequence"),
    [
        ("AX T1 POST NON FS", "", "t1ce"),
        ("PRE-OP STEALTH T1 GAD", "", "t1ce"),
        ("COR T1 POST W/O FATSAT", "", "t1ce"),
        ("t1_se_tra ohne KM", "", "t1"),
        ("AX T1 SE", "NO CONTRAST", "t1"),
        ("AX T1 SE", "N/A", "t1"),
        ("AX T1 SE", "aucun", "t1"),
        ("AX T1 SE", "12ML MULTIHANCE", "t1ce"),
        ("T1 SE sans injection", "", "t1"),
        ("T1 axial après gado", "", "t1ce"),
        ("T1 senza mdc", "", "t1"),
        ("CE T1 AX", "Gadovist", "t1ce"),
        ("CE T1 AX", "none", "t1"),
    ],
)
def test_contrast(description: str, agent: str, sequence: str, tmp_path: Path) -> None:
    add(tmp_path, 5, FLAIR)
    add(tmp_path, 7, T1, SeriesDescription=description, ContrastBolusAgent=agent)
    assert used(audit([tmp_path]))[sequence] == f"series 7 ({description})"


@pytest.mark.parametrize(
    ("description", "agent", "why"),
    [
        (
            "AX T1 C-",
            "Gadavist",
            "the name says before contrast, but an agent is recorded (Gadavist)",
        ),
        ("AX T1 POST", "NO CONTRAST", "the name says after contrast, but the header that there "),
        ("AX T1 W/WO", "", "the name says both before and after contrast"),
        ("CE T1 AX", "", "a letter in the name may mean contrast"),
        ("AX T1", "see notes", "it is unclear whether a contrast agent was given"),
    ],
)
def test_contradictions_are_asked(description: str, agent: str, why: str, tmp_path: Path) -> None:
    add(tmp_path, 5, FLAIR)
    add(tmp_path, 7, T1, SeriesDescription=description, ContrastBolusAgent=agent)
    found = audit([tmp_path])
    assert set(used(found)) == {"flair"}
    told = reason(found, 7)
    assert told.startswith(why)
    assert told.endswith("if it is one, state it: `series=t1=7` or `series=t1ce=7`")


@pytest.mark.parametrize(
    "name", ["3D DIR", "t2_space_dir_sag", "SAG DOUBLE IR", "double inversion"]
)
def test_a_double_inversion_is_no_flair(name: str, tmp_path: Path) -> None:
    add(tmp_path, 5, FLAIR)
    add(tmp_path, 9, DIR, 12, SeriesDescription=name)
    found = audit([tmp_path])
    assert used(found)["flair"].startswith("series 5 ")
    assert reason(found, 9) == "by its name double inversion recovery"


@pytest.mark.parametrize(
    ("description", "tags", "why"),
    [
        ("C-SPINE T1 AX", {"BodyPartExamined": "CSPINE"}, "by its name it shows the spine"),
        ("T1 SE sag LWS", {}, "by its name it shows the spine"),
        ("AX T1 NECK", {}, "by its name it shows the neck"),
        ("AX T1", {"BodyPartExamined": "CSPINE"}, "by its header it shows the spine (BodyPart"),
        ("AX T1", {"ProtocolName": "Knee routine"}, "by its protocol it shows a limb (Protocol"),
    ],
)
def test_another_part_of_the_body_is_not_used(
    description: str, tags: dict[str, Any], why: str, tmp_path: Path
) -> None:
    add(tmp_path, 3, T1, SeriesDescription="AX T1 BRAIN")
    add(tmp_path, 30, T1, 12, SeriesDescription=description, **tags)
    found = audit([tmp_path])
    assert used(found)["t1"] == "series 3 (AX T1 BRAIN)"
    assert reason(found, 30).startswith(why)


def test_a_head_that_is_named_goes_before_a_header_that_says_otherwise(tmp_path: Path) -> None:
    add(tmp_path, 3, T1, SeriesDescription="AX T1 BRAIN", BodyPartExamined="CSPINE")
    assert used(audit([tmp_path])) == {"t1": "series 3 (AX T1 BRAIN)"}


def test_evidence_goes_before_the_number_of_slices(tmp_path: Path) -> None:
    """Of one the timing is known and says the same as the name, of the other nothing is."""
    add(tmp_path, 3, T1, SeriesDescription="AX T1")
    add(tmp_path, 4, T1, 12, SeriesDescription="T1", EchoTime=None, RepetitionTime=None)
    assert used(audit([tmp_path])) == {"t1": "series 3 (AX T1)"}


def test_a_series_that_is_cut_up_is_read_whole(tmp_path: Path) -> None:
    slices = series(PLAN, pixels(PLAN), 5, **FLAIR)
    for k, dataset in enumerate(slices):
        dataset.EchoTime = 120.0 if k % 2 else 119.8
    save(tmp_path, slices)
    found = audit([tmp_path])
    (case,) = found.cases
    volume, _ = load_case(case)
    assert np.array_equal(volume.array[0], pixels(PLAN).transpose(2, 1, 0))
    assert found.series[0].problems == ("one volume of slices with echo times of 119.8 to 120 ms",)


def test_a_series_of_halves_that_dont_fit_is_refused(tmp_path: Path) -> None:
    slices = series(PLAN, pixels(PLAN), 5, **FLAIR)
    for k, dataset in enumerate(slices):
        dataset.EchoTime = 120.0 if k % 2 else 80.0
    save(tmp_path, slices)
    found = audit([tmp_path])
    assert not found.cases
    assert "parts interleave" in found.problems[0].reason
