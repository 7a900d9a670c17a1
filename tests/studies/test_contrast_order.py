"""Post-contrast T1 by the order in the study, where no word and no agent says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gliomask.core.case import Case
from gliomask.studies.dicom_study import studies_of_files
from tests.finding import find_dicom_studies
from tests.formats.dicom.made import Plan, pixels, save, series
from tests.studies.test_dicom_study import FLAIR, T1, T1CE, T2
from tests.studies.test_series_rank import FRONT, HEAD

T1_3D: dict[str, Any] = {
    "SeriesDescription": "T1 3D FFE",
    "ScanningSequence": "GR",
    "RepetitionTime": 25.0,
    "EchoTime": 4.6,
}


def study(
    folder: Path, *made: tuple[str, dict[str, Any]], plan: Plan = HEAD
) -> tuple[Case, dict[str, str]]:
    """The case of series made at these times, and which number is used for which sequence."""
    for number, (time, tags) in enumerate(made, start=1):
        when = {"AcquisitionDate": "20010203", "AcquisitionTime": time}
        datasets = series(plan, pixels(plan, number), number, **{**tags, **when})
        save(folder / str(number), datasets)
    (case,) = find_dicom_studies(folder).cases
    uses = {one.sequence or "": one.series.split()[1] for one in case.series if one.used}
    return case, uses


def test_a_repeat_of_the_protocol_is_to_be_confirmed(tmp_path: Path) -> None:
    case, uses = study(tmp_path, ("100000", FLAIR), ("100500", T1), ("101730", T1))
    assert uses == {"flair": "1", "t1": "2", "t1ce": "3"}
    assert case.contrast_order == "it repeats the protocol of series 2 (Ax T1) 12 min later"
    assert case.series[2].why.endswith(f"no contrast agent is recorded; {case.contrast_order}")


def test_the_number_of_a_series_is_no_time(tmp_path: Path) -> None:
    case, uses = study(tmp_path, ("101730", T1), ("100500", T1))
    assert uses == {"t1": "2", "t1ce": "1"}
    assert case.contrast_order


def test_volumes_of_one_time_are_no_repeat(tmp_path: Path) -> None:
    case, uses = study(tmp_path, ("100500", T1), ("100500", T1))
    assert (uses, case.contrast_order) == ({"t1": "1"}, "")


def test_another_protocol_is_no_repeat(tmp_path: Path) -> None:
    """Several T1 in a row are common without any agent; the audit says what to type."""
    case, uses = study(tmp_path, ("100500", T1), ("101700", T1_3D))
    assert (uses, case.contrast_order) == ({"t1": "1"}, "")
    assert "if it was made after a contrast agent: `series=t1ce=2`" in case.series[1].why


def test_what_is_named_needs_no_order(tmp_path: Path) -> None:
    case, uses = study(tmp_path, ("100000", T1), ("101700", T1), ("102000", T1CE))
    assert uses["t1ce"] == "3"
    assert case.contrast_order == ""


def test_what_comes_after_contrast_is_after_contrast(tmp_path: Path) -> None:
    """The coronal series is named; the axial one, made later, lies in FLAIR's plane."""
    named = {**T1, "SeriesDescription": "Cor T1 post"}
    for number, (plan, time, tags) in enumerate(
        ((HEAD, "100000", FLAIR), (HEAD, "100500", T1), (FRONT, "101000", named)), start=1
    ):
        when = {"AcquisitionDate": "20010203", "AcquisitionTime": time}
        save(tmp_path / str(number), series(plan, pixels(plan, number), number, **{**tags, **when}))
    later = {**T1, "AcquisitionDate": "20010203", "AcquisitionTime": "101500"}
    save(tmp_path / "4", series(HEAD, pixels(HEAD, 4), 4, **later))
    found = find_dicom_studies(tmp_path)
    after = next(one for one in found.audits if one.series.startswith("series 4"))
    assert after.sequence == "t1ce"
    assert (
        "made 5 min after series 3 (Cor T1 post), which is post-contrast by its name"
        in after.evidence
    )
    assert found.cases[0].contrast_order == ""


def test_after_a_perfusion_with_an_agent(tmp_path: Path) -> None:
    dsc = {**T2, "SeriesDescription": "ep2d DSC perf", "ScanningSequence": "EP"}
    case, uses = study(tmp_path, ("100000", T1), ("101000", dsc), ("101500", T1_3D))
    assert uses == {"t1": "1", "t1ce": "3"}
    assert "a perfusion series with contrast agent" in case.series[2].why
    assert case.contrast_order == ""


def test_after_the_time_of_an_injection(tmp_path: Path) -> None:
    told = {**T1_3D, "ContrastBolusStartTime": "101000"}
    _, uses = study(tmp_path, ("100000", T1), ("101500", told))
    assert uses == {"t1": "1", "t1ce": "2"}
    _, uses = study(tmp_path / "before", ("100000", T1), ("100500", told))
    assert uses == {"t1": "1"}


def test_a_t1_that_was_given_by_hand_is_taken_at_its_word(tmp_path: Path) -> None:
    study(tmp_path, ("100500", T1), ("101730", T1))
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    (case,) = studies_of_files(files, {"t1": "1"}).cases
    assert tuple(case.images) == ("t1",)
    (case,) = studies_of_files(files, {"t1": "1", "t1ce": "2"}).cases
    assert tuple(case.images) == ("t1", "t1ce")
    assert case.contrast_order == ""
