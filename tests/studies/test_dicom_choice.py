"""Series chosen by hand: by number, UID or name; what is not there or not clear is one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.core.case import SeriesUse
from gliomask.datasets.load import load_case
from gliomask.errors import InputError
from gliomask.formats.archive import unpacked
from gliomask.formats.nifti import write_nifti
from gliomask.studies.find import audit, survey
from gliomask.studies.survey import SurveyResult
from tests.datasets.test_real_data import real
from tests.formats.dicom.made import ROOT, pixels, save, series
from tests.studies.test_dicom_study import FLAIR, PLAN, T1, T2, study

DERIVED: dict[str, Any] = {"SeriesDescription": "anat", "ImageType": ["DERIVED", "SECONDARY"]}


def taken(found: SurveyResult) -> dict[str | None, str]:
    return {one.sequence: one.series_uid.removeprefix(ROOT) for one in found.series if one.used}


def looked(folder: Path, **picks: str) -> SurveyResult:
    return audit([folder], picks=picks)


@pytest.mark.parametrize("wanted", ["3", "03", f"{ROOT}1.3", "Gad Ax T2 Straight"])
def test_a_series_is_chosen_by_number_uid_or_name(wanted: str, tmp_path: Path) -> None:
    found = looked(study(tmp_path), flair=wanted)
    assert taken(found) == {"t1": "1.1", "t1ce": "1.2", "flair": "1.3"}
    (case,) = found.cases
    volume, _ = load_case(case)
    assert volume.sequences == ("t1", "t1ce", "flair")
    assert np.array_equal(volume.array[2], pixels(PLAN, 3).transpose(2, 1, 0))
    told = "chosen by the user; by itself used as t2; the name says T2; TR 4000, TE 98 ms"
    assert SeriesUse("series 3 (Gad Ax T2 Straight)", "flair", True, told) in case.series
    instead = "series 3 (Gad Ax T2 Straight) is used for FLAIR instead: the user chose it"
    assert [one.problems for one in found.series if one.series.startswith("series 4")] == [
        (instead,)
    ]


def test_what_is_recognised_goes_on_beside_it(tmp_path: Path) -> None:
    """The series that was recognised as T1 is another one's now: the next T1 takes its place."""
    study(tmp_path)
    save(tmp_path / "5", series(PLAN, pixels(PLAN, 5), 5, **T1))
    assert taken(looked(tmp_path))["t1"] == "1.1"
    assert taken(looked(tmp_path, t2="1"))["t1"] == "1.5"
    assert taken(looked(tmp_path, t1="5"))["t1"] == "1.5"


def test_a_derived_or_short_series_can_be_chosen(tmp_path: Path) -> None:
    few = replace(PLAN, slices=4)
    save(tmp_path, series(PLAN, pixels(PLAN, 1), 1, **DERIVED))
    save(tmp_path, series(few, pixels(few, 2), 2, **T2))
    assert not looked(tmp_path).cases
    found = looked(tmp_path, t1="anat", t2="2")
    assert taken(found) == {"t1": "1.1", "t2": "1.2"}
    assert (
        r"by itself not an original image (ImageType=DERIVED\SECONDARY)" in found.series[0].evidence
    )
    assert "by itself only 4 slices" in found.series[1].evidence


def test_of_two_echoes_the_one_that_is_meant(tmp_path: Path) -> None:
    early, late = series(PLAN, pixels(PLAN, 1), 4, EchoTime=17.0), series(PLAN, pixels(PLAN, 2), 4)
    for dataset in late:
        dataset.SOPInstanceUID += "0"
    save(tmp_path, [*early, *late])
    volume, _ = load_case(looked(tmp_path, t2="4").cases[0])
    assert np.array_equal(volume.array[0], pixels(PLAN, 2).transpose(2, 1, 0))
    with pytest.raises(InputError, match=r"t1=4 is several series: .*TE 17 ms.*TE 98 ms"):
        looked(tmp_path, t1="4")


@pytest.mark.parametrize(
    ("picks", "told"),
    [
        (
            {"t2": "7"},
            r"P1_20010203: t2=7 is not a series; there are series 1 \(Ax T1\), series 2",
        ),
        ({"t2": "Ax"}, "t2=Ax is not a series"),
        (
            {"t2": "1.2.3.4"},
            rf"t2=1.2.3.4 is not a series; there are series 1 \(Ax T1\) \({ROOT}1.1",
        ),
        ({"t1": "1", "t2": "1"}, r"series 1 \(Ax T1\), TE 12 ms is given for t1 and for t2"),
        ({"t1": "1", "T1": "2"}, "given twice"),
        ({"bold": "1"}, "not a sequence"),
    ],
)
def test_what_cannot_be_chosen_is_one_line(
    picks: dict[str, str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=told) as problem:
        audit([study(tmp_path)], picks=picks)
    assert "\n" not in str(problem.value)


def test_a_name_that_two_series_have_is_not_clear(tmp_path: Path) -> None:
    for number in (1, 2):
        save(tmp_path, series(PLAN, pixels(PLAN, number), number, **T2))
    told = rf"is several series: series 1 .*\({ROOT}1.1\), series 2 .*\({ROOT}1.2\)"
    with pytest.raises(InputError, match=told):
        looked(tmp_path, t2="Gad Ax T2 Straight")
    assert taken(looked(tmp_path, t2=f"{ROOT}1.2")) == {"t2": "1.2"}


def test_what_is_no_volume_says_why(tmp_path: Path) -> None:
    study(tmp_path)
    gap = series(PLAN, pixels(PLAN), 6, **T2)
    save(tmp_path / "6", [*gap[:2], *gap[3:]])
    with pytest.raises(InputError, match=r"t2=6 can't be used: .*slices are missing"):
        looked(tmp_path, t2="6")


def test_of_several_studies_each_has_its_own(tmp_path: Path) -> None:
    study(tmp_path / "a")
    save(tmp_path / "b", series(PLAN, pixels(PLAN), 8, 2, **FLAIR, PatientID="P2"))
    found = looked(tmp_path, flair="4")
    assert [case.patient for case in found.cases] == ["P1"]
    assert [(one.case, one.reason) for one in found.problems] == [
        ("P2_20010203", "flair=4 is not a series; there are series 8 (Ax FLAIR)")
    ]
    assert found.series[-1].problems == ("its study can't be used",)
    by_uid = looked(tmp_path, t2=f"{ROOT}1.4")
    assert [tuple(case.images) for case in by_uid.cases] == [("t1", "t1ce", "t2"), ("flair",)]
    assert [one.case for one in by_uid.series] == ["P1_20010203"] * 5 + ["P2_20010203"]


def test_series_follow_a_case_that_is_given_a_number(tmp_path: Path) -> None:
    study(tmp_path / "a" / "x")
    study(tmp_path / "b" / "x", StudyInstanceUID="1.2.3.4")
    found = audit([tmp_path / "a", tmp_path / "b"])
    names = ["P1_20010203", "P1_20010203-2"]
    assert [case.id for case in found.cases] == names
    assert [one.case for one in found.series] == [name for name in names for _ in range(5)]


def test_only_dicom_has_series(tmp_path: Path) -> None:
    path = tmp_path / "a_t1.nii.gz"
    write_nifti(path, pixels(PLAN).astype(np.int16), np.eye(4))
    with pytest.raises(InputError, match=r"there are none \(`series`=t1=7\)"):
        survey([path], picks={"t1": "7"})
    with pytest.raises(InputError, match=r"either files by sequence .* or `series`, not both"):
        survey([], {"t1": path}, {"t1": "7"})


def test_a_real_derived_series_is_used_when_it_is_chosen() -> None:
    with unpacked(real("dicom") / "structural_t1w.zip") as folder:
        assert not looked(folder).cases
        (case,) = looked(folder, t1="anat-T1w").cases
        assert load_case(case)[0].array.shape == (1, 274, 384, 128)
