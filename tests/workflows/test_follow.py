"""``follow``: what it measures, when it matches, what it writes and what it leaves alone."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from gliomask.core.labels import LabelArray
from gliomask.core.prediction import VolumeInterval
from gliomask.core.regions import REGIONS
from gliomask.core.volume import Affine
from gliomask.errors import ConfigError, FormatError, InputError
from gliomask.formats.case_record import CaseRecord
from gliomask.formats.nifti import write_nifti
from gliomask.lesions.error import HALF_VOXEL, STATED, THRESHOLDS
from gliomask.workflows.follow import FollowOptions, FollowResult, follow
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.browser import Browser, browser  # noqa: F401  (the fixture)
from tests.fakes import FakeModel, head_volume, write_head
from tests.lesions.shapes import affine, block
from tests.predictions import write_prediction
from tests.workflows.heads import write_dicom_head

GRID = affine(1.0, 1.0, 2.0)
SHAPE = (50, 30, 8)


def blocks(*lengths: int) -> LabelArray:
    """Blocks of 12 x 4 voxels and these lengths, one after the other from index 2 on."""
    mask = np.zeros(SHAPE, bool)
    start = 2
    for length in lengths:
        mask |= block(SHAPE, (start, start + length), (4, 16), (2, 6))
        start += length + 2
    return mask.astype(np.uint8)


def write(tmp_path: Path, name: str, mask: LabelArray, matrix: Affine = GRID, **keys: Any) -> Path:
    return write_prediction(tmp_path / name, mask, matrix, **keys)


def run(tmp_path: Path, *inputs: Path, **changes: Any) -> FollowResult:
    return follow(FollowOptions(inputs=inputs, out=tmp_path / "out", **changes))


def rows(tmp_path: Path, lesion: str = "all") -> list[dict[str, str]]:
    with (tmp_path / "out" / "follow.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["lesion"] == lesion]


def test_by_hand(tmp_path: Path) -> None:
    inputs = [write(tmp_path, f"t{n}", blocks(length)) for n, length in enumerate((20, 25))]
    result = run(tmp_path, *inputs)
    first, second = rows(tmp_path)
    # 20 x 12 x 4 voxels of 2 mm³, then a quarter more; the long diameter is √(20² + 11²).
    assert float(first["volume_ml"]) == pytest.approx(1.92)
    assert float(second["volume_ml"]) == pytest.approx(2.4)
    assert float(second["change_ml"]) == pytest.approx(0.48)
    assert float(second["change_percent"]) == pytest.approx(25)
    assert first["change_ml"] == ""
    assert first["volume_error"] == HALF_VOXEL
    assert first["notice"] == "For research use only"
    lesion = rows(tmp_path, "1")
    assert float(lesion[0]["long_mm"]) == pytest.approx(np.hypot(20, 11), abs=1e-6)
    assert float(lesion[0]["short_mm"]) == pytest.approx(12 * np.hypot(20, 11) / 20, abs=1e-6)
    assert lesion[0]["measurable"] == "yes"
    keys = json.loads((tmp_path / "out" / "follow.json").read_text())
    assert keys["notice"] == "For research use only"
    assert [one["name"] for one in keys["time_points"]] == ["t0", "t1"]
    assert keys["regions"][0]["lesions"][0][0]["long"]["length_mm"] == pytest.approx(
        np.hypot(20, 11)
    )
    page = (tmp_path / "out" / "follow.html").read_text()
    assert "not a response assessment" in page
    assert "<svg" in page
    assert "same grid" in " ".join(result.followed.notes)
    provenance = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert provenance["command"] == "follow"


def test_lesions_are_matched_on_one_grid(tmp_path: Path) -> None:
    # The second block grows past the first and stays the second lesion by place.
    inputs = [write(tmp_path, "a", blocks(14, 10)), write(tmp_path, "b", blocks(12, 18))]
    run(tmp_path, *inputs)
    assert [float(row["volume_ml"]) for row in rows(tmp_path, "1")] == pytest.approx([0.96, 1.728])
    assert [float(row["volume_ml"]) for row in rows(tmp_path, "2")] == pytest.approx([1.344, 1.152])


def shifted(mm: float) -> Affine:
    matrix = GRID.copy()
    matrix[0, 3] += mm
    return matrix


def test_lesions_on_other_grids_are_not_matched_unless_told(tmp_path: Path) -> None:
    inputs = [write(tmp_path, "a", blocks(20)), write(tmp_path, "b", blocks(20), shifted(3.0))]
    result = run(tmp_path, *inputs)
    (course,) = result.followed.courses
    assert course.followed is None
    assert "not matched" in " ".join(result.followed.notes)
    assert [row["lesion"] for row in rows(tmp_path, "t2-1")] == ["t2-1"]
    assert len(rows(tmp_path)) == 2  # the whole tumour is measured all the same
    told = run(tmp_path, *inputs, registered=True)
    (course,) = told.followed.courses
    assert course.followed is not None
    assert [point.parts for point in course.followed[0].points] == [1, 1]


def test_registered_lesions_far_apart_are_two(tmp_path: Path) -> None:
    inputs = [write(tmp_path, "a", blocks(20)), write(tmp_path, "b", blocks(20), shifted(30.0))]
    (course,) = run(tmp_path, *inputs, registered=True).followed.courses
    assert course.followed is not None
    assert [[p.parts for p in one.points] for one in course.followed] == [[1, 0], [0, 1]]


def test_a_stated_interval_is_the_error(tmp_path: Path) -> None:
    stated = {"whole": VolumeInterval((750, 1250), (1.5, 2.5), 0.9, 10, calibrated=True)}
    inputs = [write(tmp_path, "a", blocks(20), intervals=stated), write(tmp_path, "b", blocks(20))]
    (course,) = run(tmp_path, *inputs).followed.courses
    first, second = course.volumes_ml
    assert (first.low, first.high, first.method) == (1.5, 2.5, STATED)
    assert second.method == HALF_VOXEL


def test_probabilities_give_the_error(tmp_path: Path) -> None:
    mask = blocks(20)
    probability = mask.astype(np.float32) * 0.6
    probability[2:12, 4:16, 2:6] = 0.9  # 10 x 12 x 4 voxels, surer than 0.75
    probability[30, 4:16, 2:6] = 0.3  # 48 voxels, likelier than 0.25
    inputs = [
        write(tmp_path, "a", mask, probabilities=probability[None]),
        write(tmp_path, "b", mask),
    ]
    path = inputs[0] / "a_probability_whole.nii.gz"
    (course,) = run(tmp_path, *inputs).followed.courses
    found = course.volumes_ml[0]
    assert (found.low, found.value, found.high) == pytest.approx((0.96, 1.92, 1.92 + 0.096))
    assert found.method == THRESHOLDS
    write_nifti(path, probability, shifted(1.0))
    with pytest.raises(FormatError, match="another grid"):
        run(tmp_path, *inputs)


def test_what_predict_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    written: list[CaseRecord] = []
    plausible = replace(head_volume(), affine=np.diag([5.0, 6.0, 15.0, 1.0]))  # 12 cm wide
    for name in ("BraTS-GLI-00001-000", "BraTS-GLI-00001-001"):
        write_head(tmp_path / "in" / name, name, plausible)
        options = PredictOptions(
            inputs=(tmp_path / "in" / name,),
            out=tmp_path / name,
            model=Path("fake"),
            probabilities=True,
        )
        written += predict_files(options).cases
    result = run(tmp_path, tmp_path / written[0].case, tmp_path / written[1].case)
    assert result.followed.names == ("BraTS-GLI-00001-000", "BraTS-GLI-00001-001")
    for course in result.followed.courses:
        for volume, case in zip(course.volumes_ml, written, strict=True):
            assert case.volumes_ml is not None
            assert volume.value == pytest.approx(case.volumes_ml[course.region])
            assert volume.method == THRESHOLDS
    assert not [note for note in result.followed.notes if note.startswith("WARNING")]


def test_dates_put_time_points_in_order(tmp_path: Path) -> None:
    inputs = [write(tmp_path, "late", blocks(25)), write(tmp_path, "early", blocks(20))]
    result = run(tmp_path, *inputs, dates=("2024-05-01", "2023-12-31"))
    assert result.followed.names == ("early", "late")
    assert "sorted by date" in " ".join(result.followed.notes)
    assert [row["date"] for row in rows(tmp_path)] == ["2023-12-31", "2024-05-01"]
    with pytest.raises(
        ConfigError, match=r"not a date for each \(`dates`=2024-05-01, allowed one for each of 2 "
    ):
        run(tmp_path, *inputs, dates=("2024-05-01",))


def test_equal_dates_keep_the_given_order(tmp_path: Path) -> None:
    inputs = [write(tmp_path, name, blocks(20)) for name in ("c", "b", "a")]
    result = run(tmp_path, *inputs, dates=("2024-05-01", "2024-05-01", "2023-12-31")).followed
    assert result.names == ("a", "c", "b")
    same = run(tmp_path, *inputs, dates=("2024-05-01",) * 3).followed
    assert same.names == ("c", "b", "a")


def test_dates_of_the_predictions_count_if_all_have_one(tmp_path: Path) -> None:
    late = write(tmp_path, "late", blocks(25), study_date=date(2024, 5, 1))
    early = write(tmp_path, "early", blocks(20), study_date=date(2023, 12, 31))
    undated = write(tmp_path, "undated", blocks(20))
    assert run(tmp_path, late, early).followed.names == ("early", "late")
    mixed = run(tmp_path, early, undated, late).followed
    assert mixed.names == ("early", "undated", "late")
    assert mixed.dates == (date(2023, 12, 31), None, date(2024, 5, 1))
    assert "Some dates are unknown: the time points are in the given order." in mixed.notes
    assert [row["date"] for row in rows(tmp_path)] == ["2023-12-31", "", "2024-05-01"]
    keys = json.loads((tmp_path / "out" / "follow.json").read_text())
    assert [point["date"] for point in keys["time_points"]] == ["2023-12-31", None, "2024-05-01"]


def test_known_dates_that_contradict_the_order_are_asked_for(tmp_path: Path) -> None:
    late = write(tmp_path, "late", blocks(25), study_date=date(2024, 3, 1))
    undated = write(tmp_path, "undated", blocks(20))
    early = write(tmp_path, "early", blocks(20), study_date=date(2023, 3, 1))
    dates = "2024-03-01,YYYY-MM-DD,2023-03-01"
    with pytest.raises(ConfigError, match=f"in order of time.*`... dates={dates}`"):
        run(tmp_path, late, undated, early)
    assert not (tmp_path / "out").exists()


def test_time_points_of_one_date_are_as_given(tmp_path: Path) -> None:
    day = date(2024, 5, 1)
    inputs = [write(tmp_path, name, blocks(20), study_date=day) for name in ("b", "a")]
    found = run(tmp_path, *inputs).followed
    assert (found.names, found.dates) == (("b", "a"), (day, day))
    assert (
        "WARNING: time points of one date (2024-05-01): they are in the given order." in found.notes
    )


def test_dicom_studies_are_followed_in_the_order_of_their_dates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From headers to the course of a tumour: predict writes the date that follow orders by."""
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    studies = {
        "third": ("20240131", "101500"),
        "second": ("20230704", "151200"),  # of the same day as the first, hours later
        "first": ("20230704", "093000.5"),
    }
    for name, (day, time) in studies.items():
        tags: dict[str, Any] = {"StudyDate": day, "AcquisitionDate": day, "AcquisitionTime": time}
        write_dicom_head(tmp_path / "in" / name, PatientID=f"P-{name}", **tags)
        keys = {"inputs": (tmp_path / "in" / name,), "out": tmp_path / name, "model": Path("m")}
        predict_files(PredictOptions.model_validate({**keys, "write": ("nifti",)}))
    found = run(tmp_path, *(tmp_path / name for name in studies)).followed
    assert found.names == ("P-first_20230704", "P-second_20230704", "P-third_20240131")
    assert found.dates == (date(2023, 7, 4), date(2023, 7, 4), date(2024, 1, 31))
    assert "they are sorted by acquisition time" in " ".join(found.notes)
    record = json.loads((tmp_path / "first" / "P-first_20230704.json").read_text())
    assert (record["study_date"], record["acquired"]) == ("2023-07-04", "2023-07-04T09:30:00")


def test_anonymised_studies_of_one_date_are_as_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither their times of day nor their placeholder of a PatientID count."""
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    for number, time in enumerate(("150000", "090000", "120000")):
        tags: dict[str, Any] = {"StudyDate": "19000101", "AcquisitionDate": "19000101"}
        tags |= {"AcquisitionTime": time, "StudyInstanceUID": f"1.2.3.{number}"}
        write_dicom_head(tmp_path / "in" / f"m{number}", PatientID="ANON", **tags)
        keys = {"inputs": (tmp_path / "in" / f"m{number}",), "out": tmp_path / f"m{number}"}
        predict_files(
            PredictOptions.model_validate({**keys, "model": Path("m"), "write": ("nifti",)})
        )
    result = run(tmp_path, *(tmp_path / f"m{number}" for number in range(3))).followed
    names = [f"m{number}/ANON_19000101" for number in range(3)]
    assert result.names == tuple(names)
    order = "time points of one date (1900-01-01): they are in the given order"
    assert f"WARNING: {order}." in result.notes
    assert "different patients" not in " ".join(result.notes)
    assert f"The patient is unknown ({', '.join(names)}): it was not" in " ".join(result.notes)
    keys = json.loads((tmp_path / "out" / "follow.json").read_text())
    assert [point["patient"] for point in keys["time_points"]] == [None, None, None]


def test_a_study_whose_date_was_removed_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    write_dicom_head(tmp_path / "in", StudyDate="", AcquisitionTime="", SeriesTime="")
    keys = {"inputs": (tmp_path / "in",), "out": tmp_path / "a", "model": Path("m")}
    (case,) = predict_files(PredictOptions.model_validate({**keys, "write": ("nifti",)})).cases
    record = json.loads((tmp_path / "a" / f"{case.case}.json").read_text())
    assert (record["study_date"], record["acquired"]) == (None, None)


def test_says_that_patients_differ(tmp_path: Path) -> None:
    inputs = [write(tmp_path, n, blocks(20), patient=n) for n in ("a", "b")]
    assert "different patients: a, b" in " ".join(run(tmp_path, *inputs).followed.notes)


def test_an_unknown_patient_is_no_other_patient(tmp_path: Path) -> None:
    known = write(tmp_path, "a", blocks(20), patient="P1")
    unknown = write(tmp_path, "ANON_20240101", blocks(20), patient="study-1.2.3")
    path = unknown / "ANON_20240101.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "patient_known": False}))
    notes = " ".join(run(tmp_path, known, unknown).followed.notes)
    assert "different patients" not in notes
    assert "The patient is unknown (ANON_20240101)" in notes


def test_warns_of_an_implausible_voxel_size(tmp_path: Path) -> None:
    """An affine in metres, whose header states no unit."""
    mask = np.zeros((100, 100, 50), np.uint8)
    mask[40:60, 40:60, 20:30] = 1
    millimetres = affine(2.0, 2.0, 3.0)
    metres = affine(0.002, 0.002, 0.003)
    first = write(tmp_path, "a", mask, millimetres, patient="P1")
    second = write(tmp_path, "b", mask, metres, patient="P1")
    notes = run(tmp_path, first, second).followed.notes
    (warning,) = (note for note in notes if note.startswith("WARNING"))
    assert warning.startswith("WARNING: b: the scan measures 0.2 x 0.2 x 0.15 mm, but a head")


def masks(tmp_path: Path, *names: str) -> list[Path]:
    """Masks without a record."""
    paths = [tmp_path / f"{name}.nii.gz" for name in names]
    for number, path in enumerate(paths):
        write_nifti(path, blocks(20 + number), GRID)
    return paths


@pytest.mark.parametrize(
    ("names", "patients"),
    [
        (("P01_20240101_seg", "P02_20240301_seg"), "P01, P02"),
        (("P01_tp1_seg", "P02_tp2_seg"), "P01, P02"),
        (("sub-01_ses-1_mask", "sub-02_ses-2_mask"), "sub-01, sub-02"),
        (
            ("BraTS-GLI-00005-100_seg", "BraTS-GLI-00006-101_seg"),
            "BraTS-GLI-00005, BraTS-GLI-00006",
        ),
    ],
)
def test_says_that_names_are_of_different_patients(
    tmp_path: Path, names: tuple[str, ...], patients: str
) -> None:
    notes = run(tmp_path, *masks(tmp_path, *names), labels="binary").followed.notes
    assert f"WARNING: the time points name different patients: {patients}." in notes


@pytest.mark.parametrize(
    "names",
    [
        ("P01_20240101_seg", "P01_20240301_seg"),
        ("P01_tp1_seg", "P01_tp2_seg"),
        ("baseline_seg", "followup_seg"),
        ("scan1", "scan2"),
        ("20240101_seg", "20240301_seg"),
        ("case_tp1", "case_tp2"),
    ],
)
def test_names_of_examinations_are_not_those_of_patients(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    notes = run(tmp_path, *masks(tmp_path, *names), labels="binary").followed.notes
    assert "different patients" not in " ".join(notes)


def test_dates_in_names_count_if_no_record_states_them(tmp_path: Path) -> None:
    first, second = masks(tmp_path, "P01_20240101_seg", "P01_2024-09-01_seg")
    found = run(tmp_path, first, second, labels="binary").followed
    assert found.dates == (date(2024, 1, 1), date(2024, 9, 1))
    assert "Dates that no record states are those in the names of the files." in found.notes
    third = write(tmp_path, "late", blocks(25), study_date=date(2024, 12, 1))
    assert run(tmp_path, first, second, third, labels="binary").followed.dates[2] == date(
        2024, 12, 1
    )


def test_a_date_that_all_names_share_is_none_of_an_examination(tmp_path: Path) -> None:
    """A date of birth."""
    inputs = masks(tmp_path, "UKHD_20100312_tp1_seg", "UKHD_20100312_tp2_seg")
    notes = run(tmp_path, *inputs, labels="binary").followed.notes
    assert any("Some dates are unknown" in note for note in notes)


@pytest.mark.parametrize("others", [(), ("P01_last_seg",)])
def test_dates_in_names_that_contradict_the_order_are_asked_for(
    tmp_path: Path, others: tuple[str, ...]
) -> None:
    inputs = masks(tmp_path, "P01_20240901_seg", "P01_20240101_seg", *others)
    asked = ",".join(("2024-09-01", "2024-01-01", *("YYYY-MM-DD" for _ in others)))
    with pytest.raises(ConfigError, match=f"in order of time.*`... dates={asked}`"):
        run(tmp_path, *inputs, labels="binary")
    assert not (tmp_path / "out").exists()
    dates = ("2024-09-01", "2024-01-01", "2025-01-01")[: len(inputs)]
    found = run(tmp_path, *inputs, labels="binary", dates=dates).followed
    assert found.names[:2] == ("P01_20240101", "P01_20240901")


def test_only_regions_that_all_masks_tell(tmp_path: Path) -> None:
    full = blocks(20) * np.uint8(3)
    inputs = [write(tmp_path, "a", full, regions=tuple(REGIONS)), write(tmp_path, "b", blocks(20))]
    result = run(tmp_path, *inputs)
    assert [course.region for course in result.followed.courses] == ["whole"]
    assert "not every mask has them: core, enhancing." in " ".join(result.followed.notes)


def test_tumour_free_time_points(tmp_path: Path) -> None:
    inputs = [
        write(tmp_path, "a", blocks()),
        write(tmp_path, "b", blocks(20)),
        write(tmp_path, "c", blocks()),
    ]
    (course,) = run(tmp_path, *inputs).followed.courses
    assert [one.value for one in course.volumes_ml] == pytest.approx([0, 1.92, 0])
    assert rows(tmp_path)[1]["change_percent"] == ""


def test_names_can_not_break_the_page(tmp_path: Path) -> None:
    inputs = [write(tmp_path, name, blocks(20)) for name in ("<b>x$1$", "=1+$")]
    run(tmp_path, *inputs)
    page = (tmp_path / "out" / "follow.html").read_text()
    assert "<b>x" not in page
    assert rows(tmp_path)[1]["time_point"] == "'=1+$"


@pytest.mark.browser
def test_the_page_in_a_browser(tmp_path: Path, browser: Browser) -> None:  # noqa: F811
    inputs = [write(tmp_path, "a", blocks(20, 14)), write(tmp_path, "b", blocks(22, 12))]
    run(tmp_path, *inputs)
    browser.open(tmp_path / "out" / "follow.html")
    assert browser.problems() == []
    assert browser.requests() == []


def test_replaces_only_what_it_wrote(tmp_path: Path) -> None:
    inputs = [write(tmp_path, n, blocks(20)) for n in ("a", "b")]
    run(tmp_path, *inputs)
    run(tmp_path, *inputs)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.txt"):
        run(tmp_path, *inputs)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    with pytest.raises(InputError, match="something other than a result of follow"):
        follow(FollowOptions(inputs=tuple(inputs), out=inputs[0]))
    with pytest.raises(InputError, match="not a folder"):
        follow(FollowOptions(inputs=tuple(inputs), out=inputs[0] / "a.json"))


def test_one_time_point_is_no_course(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="at least 2"):
        FollowOptions(inputs=(tmp_path,), out=tmp_path)
