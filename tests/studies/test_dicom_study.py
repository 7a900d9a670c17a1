"""DICOM studies as cases: chosen, told, and loaded like any other."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.datasets.load import load_case
from gliomask.errors import CaseError, FormatError, InputError, LayoutError
from gliomask.formats.nifti import write_nifti
from gliomask.studies.dicom_study import only_series
from gliomask.studies.find import survey
from tests.finding import dicom_studies, find_dicom_studies, find_studies
from tests.formats.dicom.made import CORONAL, Plan, pixels, save, series

PLAN = Plan()
T1: dict[str, Any] = {"SeriesDescription": "Ax T1", "RepetitionTime": 550.0, "EchoTime": 12.0}
T1CE: dict[str, Any] = {**T1, "SeriesDescription": "Ax T1 +C", "ContrastBolusAgent": "Dotarem"}
T2: dict[str, Any] = {"SeriesDescription": "Gad Ax T2 Straight"}
FLAIR: dict[str, Any] = {
    "SeriesDescription": "Ax FLAIR",
    "InversionTime": 2500.0,
    "ScanningSequence": "IR",
}


def study(folder: Path, plan: Plan = PLAN, **tags: Any) -> Path:
    """Four sequences on one grid, and a localizer."""
    for number, of_series in enumerate((T1, T1CE, T2, FLAIR), start=1):
        made = series(plan, pixels(plan, number), number, **{**of_series, **tags})
        save(folder / f"{number}", made, ending="")
    small = replace(plan, slices=3, directions=CORONAL)
    name = {"SeriesDescription": "3-plane Loc", **tags}
    save(folder / "loc", series(small, pixels(small), 9, **name))
    return folder


def test_a_study_is_a_case_with_its_sequences(tmp_path: Path) -> None:
    found = find_dicom_studies(study(tmp_path))
    (case,) = found.cases
    assert (case.id, case.patient, case.source) == ("P1_20010203", "P1", "dicom")
    assert tuple(case.images) == ("t1", "t1ce", "t2", "flair")
    assert not found.problems
    volume, labels = load_case(case)
    assert labels is None
    assert volume.has_world
    for number, array in enumerate(volume.array, start=1):
        assert np.array_equal(array, pixels(PLAN, number).transpose(2, 1, 0))
    assert np.allclose((volume.affine @ (11, 9, 5, 1))[:3], PLAN.world(11, 9, 5))


def test_a_derived_flair_without_another_is_a_question_in_the_notes(tmp_path: Path) -> None:
    """Registered copies in Brain-Tumor-Progression are DERIVED."""
    for number, of_series in enumerate((T1, FLAIR), start=1):
        tags = {**of_series, "ImageType": ["DERIVED", "PRIMARY"]} if number == 2 else of_series
        save(tmp_path / f"{number}", series(PLAN, pixels(PLAN, number), number, **tags), ending="")
    (case,) = find_dicom_studies(tmp_path).cases
    assert tuple(case.images) == ("t1",)
    (note,) = case.notes
    assert "not an original image (ImageType=DERIVED\\PRIMARY)" in note
    assert note.endswith("if it is one, state it: `series=flair=2`")


def test_every_series_is_told(tmp_path: Path) -> None:
    audits = find_dicom_studies(study(tmp_path)).audits
    assert [(a.series, a.sequence, a.used) for a in audits] == [
        ("series 1 (Ax T1)", "t1", True),
        ("series 2 (Ax T1 +C)", "t1ce", True),
        ("series 3 (Gad Ax T2 Straight)", "t2", True),
        ("series 4 (Ax FLAIR)", "flair", True),
        ("series 9 (3-plane Loc)", None, False),
    ]
    t1ce, localizer = audits[1], audits[4]
    assert t1ce.axes == "LPS"
    assert t1ce.shape == (12, 10, 6)
    assert t1ce.spacing_mm == pytest.approx((1.1, 0.9, 5.0))
    assert (t1ce.slice_thickness_mm, t1ce.contrast, t1ce.problems) == (4.0, "Dotarem", ())
    assert (t1ce.patient, t1ce.study_date) == ("P1", "20010203")
    assert t1ce.series_uid == f"{t1ce.study}.2"
    assert t1ce.evidence == "the name says T1; TR 550, TE 12 ms; the name says after contrast"
    assert localizer.problems == ("by its name a localizer",)


def test_the_case_tells_what_was_chosen(tmp_path: Path) -> None:
    (case,) = find_dicom_studies(study(tmp_path)).cases
    assert case.notes == ()
    assert case.series[2].why == "the name says T2; TR 4000, TE 98 ms"
    assert [(one.series, one.sequence, one.used) for one in case.series] == [
        ("series 1 (Ax T1)", "t1", True),
        ("series 2 (Ax T1 +C)", "t1ce", True),
        ("series 3 (Gad Ax T2 Straight)", "t2", True),
        ("series 4 (Ax FLAIR)", "flair", True),
        ("series 9 (3-plane Loc)", None, False),
    ]
    assert case.series[-1].why == "by its name a localizer"


def test_a_name_goes_before_an_agent(tmp_path: Path) -> None:
    """The agent stands in the series before contrast too, which has more slices."""
    many = replace(PLAN, slices=9)
    save(tmp_path, series(many, pixels(many), 1, **{**T1CE, "SeriesDescription": "Ax T1"}))
    save(tmp_path, series(PLAN, pixels(PLAN), 2, **T1CE))
    used = [audit.series for audit in find_dicom_studies(tmp_path).audits if audit.used]
    assert used == ["series 2 (Ax T1 +C)"]


def test_a_dual_echo_gives_its_second_echo(tmp_path: Path) -> None:
    early = series(PLAN, pixels(PLAN, 1), 4, **T2, EchoTime=17.0)
    late = series(PLAN, pixels(PLAN, 2), 4, **T2)
    for dataset in late:
        dataset.SOPInstanceUID += "0"
    save(tmp_path / "a", [*early, *late])
    found = find_dicom_studies(tmp_path)
    volume, _ = load_case(found.cases[0])
    assert np.array_equal(volume.array[0], pixels(PLAN, 2).transpose(2, 1, 0))
    told = "by its timing proton density (TR 4000, TE 17 ms)"
    assert [audit.problems for audit in found.audits] == [(told,), ()]
    with pytest.raises(CaseError, match=r"Straight\), TE 17 ms, .*Straight\), TE 98 ms"):
        only_series(tmp_path)


def test_two_patients_and_two_studies(tmp_path: Path) -> None:
    study(tmp_path / "a")
    study(tmp_path / "b", PatientID="P2")
    study(tmp_path / "c", StudyInstanceUID="1.2.3.4", StudyDate="20020304")
    study(tmp_path / "d", StudyInstanceUID="1.2.3.5")
    cases = find_dicom_studies(tmp_path).cases
    ids = ["P1_20010203", "P2_20010203", "P1_20020304", "P1_20010203-2"]
    assert [case.id for case in cases] == ids
    assert [case.patient for case in cases] == ["P1", "P2", "P1", "P1"]


def test_names_are_safe_whatever_the_patient_is_called(tmp_path: Path) -> None:
    study(tmp_path / "a", PatientID="../../x y", StudyDate="")
    study(tmp_path / "b", PatientID="", StudyDate="", StudyInstanceUID="1.2.3.4")
    study(tmp_path / "c", PatientID="TCGA-CS-4941", StudyInstanceUID="1.2.3.5")
    cases = find_dicom_studies(tmp_path).cases
    odd, *others = (case.id for case in cases)
    assert re.fullmatch(r"_\.\._x_y-[0-9a-f]{8}", odd)
    assert others == ["study-1.2.3.4", "TCGA-CS-4941_20010203"]
    assert (cases[2].patient, cases[2].site) == ("TCGA-CS-4941", "CS")


def test_another_grid_is_refused_when_the_case_is_loaded(tmp_path: Path) -> None:
    save(tmp_path, series(PLAN, pixels(PLAN, 1), 1, **T1))
    other = replace(PLAN, directions=CORONAL)
    save(tmp_path, series(other, pixels(other, 2), 2, **T2))
    (case,) = find_dicom_studies(tmp_path).cases
    with pytest.raises(CaseError, match="t2 is on another grid than t1"):
        load_case(case)


def test_another_frame_of_reference_is_told(tmp_path: Path) -> None:
    save(tmp_path, series(PLAN, pixels(PLAN, 1), 1, **T1))
    save(tmp_path, series(PLAN, pixels(PLAN, 2), 2, **T2, FrameOfReferenceUID="1.2.3"))
    (case,) = find_dicom_studies(tmp_path).cases
    assert "the series don't share a frame of reference: the patient may have moved" in case.notes


def test_a_study_without_a_sequence_is_a_problem(tmp_path: Path) -> None:
    save(tmp_path, series(PLAN, pixels(PLAN), 1, SeriesDescription="head", RepetitionTime=None))
    few = replace(PLAN, slices=4)
    save(tmp_path, series(few, pixels(few), 2, **T2))
    found = find_dicom_studies(tmp_path)
    assert not found.cases
    (problem,) = found.problems
    assert problem.case == "P1_20010203"
    assert problem.reason == (
        "no sequence is recognised: series 1 (head): neither its name nor its timing determines "
        "the sequence; if it is one, state it: `series=SEQUENCE=1`; "
        "series 2 (Gad Ax T2 Straight): only 4 slices (allowed 5 and more)"
    )


def test_a_damaged_file_is_a_problem_of_its_own(tmp_path: Path) -> None:
    study(tmp_path)
    (tmp_path / "bad.dcm").write_bytes(
        bytes(128) + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00" + b"\xff" * 99
    )
    found = find_dicom_studies(tmp_path)
    assert len(found.cases) == 1
    assert [problem.case for problem in found.problems] == ["bad.dcm"]


def test_a_zip_lives_as_long_as_its_block(tmp_path: Path) -> None:
    study(tmp_path / "in")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in sorted((tmp_path / "in").rglob("*")):
            archive.write(path, path.relative_to(tmp_path / "in"))
    with dicom_studies(tmp_path / "a.zip") as found:
        (case,) = found.cases
        assert load_case(case)[0].array.shape == (4, 12, 10, 6)
    assert not case.images["t1"].paths[0].exists()
    with dicom_studies(tmp_path / "in") as found:
        assert found.cases[0].images["t1"].paths[0].exists()


def test_no_studies(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="no such folder"):
        find_dicom_studies(tmp_path / "absent")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(LayoutError, match="no DICOM among 1 files"):
        find_dicom_studies(tmp_path)
    with pytest.raises(FormatError, match="not a zip archive"), dicom_studies(tmp_path / "a.txt"):
        pass


def test_the_user_may_say_which_folder_is_which_sequence(tmp_path: Path) -> None:
    study(tmp_path)
    (case,) = find_studies([], {"t2": tmp_path / "4", "flair": tmp_path / "3"})
    volume, _ = load_case(case)
    assert volume.sequences == ("t2", "flair")
    assert np.array_equal(volume.array[0], pixels(PLAN, 4).transpose(2, 1, 0))
    with pytest.raises(
        CaseError, match=r"several series instead of one: series 1 \(Ax T1\), TE 12"
    ):
        only_series(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="contains no image"):
        find_studies([], {"t2": tmp_path / "empty"})


def test_a_user_may_point_at_a_folder_or_at_files(tmp_path: Path) -> None:
    study(tmp_path)
    for inputs in ([tmp_path], sorted(p for p in tmp_path.rglob("*") if p.is_file())):
        cases, problems = survey(inputs)
        assert [tuple(case.images) for case in cases] == [("t1", "t1ce", "t2", "flair")]
        assert not problems


def test_nifti_and_dicom_beside_each_other(tmp_path: Path) -> None:
    study(tmp_path / "a")
    write_nifti(tmp_path / "b" / "b_t1.nii.gz", pixels(PLAN).astype(np.int16), np.eye(4))
    cases, problems = survey([tmp_path])
    assert [case.source for case in cases] == ["study", "dicom"]
    assert not problems


def test_dicom_beside_the_nifti_made_from_it_is_one_examination(tmp_path: Path) -> None:
    for name in "ab":
        study(tmp_path / name / "dicom")
        write_nifti(tmp_path / name / f"{name}_t1.nii.gz", pixels(PLAN).astype(np.int16), np.eye(4))
    study(tmp_path / "c", PatientID="P3")
    cases, _ = survey([tmp_path])
    assert [(case.id, case.source) for case in cases] == [
        ("a", "study"),
        ("b", "study"),
        ("P3_20010203", "dicom"),
    ]


def test_a_phantom_stays_a_phantom(tmp_path: Path) -> None:
    study(tmp_path)
    (tmp_path / "SYNTHETIC").write_text("made")
    assert find_dicom_studies(tmp_path).cases[0].synthetic
    assert survey([tmp_path])[0][0].synthetic


@pytest.mark.parametrize(
    ("one", "other", "refused"),
    [
        ({"PatientName": "Doe^Jane"}, {"PatientName": "Roe^Richard"}, "PatientName"),
        ({"PatientBirthDate": "19500101"}, {"PatientBirthDate": "19600101"}, "PatientBirthDate"),
        ({"PatientSex": "F"}, {"PatientSex": "M"}, "PatientSex"),
        ({"PatientName": "Doe^Jane"}, {"PatientName": "DOE^JANE^"}, None),
        ({"PatientName": "Doe^Jane"}, {"PatientName": "Jane Doe"}, None),
        ({"PatientName": "Doe^Jane"}, {"PatientName": ""}, None),
    ],
)
def test_one_study_of_two_people(
    tmp_path: Path, one: dict[str, str], other: dict[str, str], refused: str | None
) -> None:
    save(tmp_path / "1", series(PLAN, pixels(PLAN, 1), 1, **{**T1, **one}))
    save(tmp_path / "2", series(PLAN, pixels(PLAN, 2), 2, **{**FLAIR, **other}))
    found = find_dicom_studies(tmp_path)
    assert len(found.cases) == (refused is None)
    if refused is None:
        return
    (problem,) = found.problems
    assert f"{refused} differs between series 1 (Ax T1) and series 2 (Ax FLAIR)" in problem.reason
    told = problem.reason.replace("PatientSex", "")
    values = (*one.values(), *other.values())
    assert not any(re.search(rf"\b{re.escape(value)}\b", told) for value in values)
    assert not any(audit.used for audit in found.audits)


@pytest.mark.parametrize(("count", "said"), [(1, "one DICOM slice"), (3, "3 DICOM slices")])
def test_slices_named_without_the_others_of_their_series(
    tmp_path: Path, count: int, said: str
) -> None:
    folder = study(tmp_path) / "4"
    named = sorted(folder.iterdir())[:count]
    with pytest.raises(InputError) as refused:
        find_studies(named)
    text = str(refused.value)
    assert text.startswith(f"{named[0]}: no volume in {said}: ")
    assert text.endswith(f"use the folder that contains the complete series: {folder}")


def test_a_word_that_nobody_knows_in_the_name_of_a_used_series_is_noted(tmp_path: Path) -> None:
    plain = dict(T1, SeriesDescription="Ax T1")
    save(tmp_path / "1", series(PLAN, pixels(PLAN, 1), 1, **dict(T1, SeriesDescription="T1 xylo")))
    save(tmp_path / "2", series(PLAN, pixels(PLAN, 2), 2, **FLAIR))
    (case,) = find_dicom_studies(tmp_path).cases
    assert case.notes == (
        "series 1 (T1 xylo) is used as T1 by its timing; 'xylo' in its name is unknown; if it was "
        "made after a contrast agent: `series=t1ce=1`",
    )
    # A series whose name is understood goes before it, though it comes later.
    save(tmp_path / "3", series(PLAN, pixels(PLAN, 3), 3, **plain))
    (case,) = find_dicom_studies(tmp_path).cases
    assert [use.series for use in case.series if use.used] == [
        "series 2 (Ax FLAIR)",
        "series 3 (Ax T1)",
    ]
    assert case.notes == ()


@pytest.mark.parametrize("name", ["", "ANON", "anonymous", "Unknown", "0000", "N/A", "XXX"])
def test_a_placeholder_is_no_patient(name: str, tmp_path: Path) -> None:
    for number in (1, 2):
        tags = dict(FLAIR, PatientID=name, StudyInstanceUID=f"1.2.3.4.{number}")
        save(tmp_path / str(number), series(PLAN, pixels(PLAN), number, number, **tags))
    first, second = find_dicom_studies(tmp_path).cases
    assert first.patient != second.patient
    assert {first.patient, second.patient} == {"study-1.2.3.4.1", "study-1.2.3.4.2"}
    assert not first.patient_known
    assert not second.patient_known
