"""``predict`` on DICOM series: the mask lies where the tumour is, on the grid of the series."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from gliomask.core.geometry import axis_codes, spacing_mm
from gliomask.errors import CaseError, FormatError, InputError
from gliomask.formats.archive import all_unpacked
from gliomask.formats.nifti import read_nifti_labels
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.fakes import FakeModel, head_labels, head_volume, world_points
from tests.formats.dicom.made import Plan, save, series
from tests.workflows.heads import write_dicom_head

LPS = ((0, 1, 2), (0, 1))
TAGS: dict[str, dict[str, Any]] = {
    "t1": {"SeriesDescription": "Ax T1", "RepetitionTime": 500.0, "EchoTime": 10.0},
    "flair": {"SeriesDescription": "Ax FLAIR", "InversionTime": 2400.0},
}


def write_head_as_dicom(folder: Path) -> None:
    """The head of the other tests, its slices axial as scanners store them."""
    volume = head_volume(*LPS)
    assert axis_codes(volume.affine) == "LPS"
    columns, rows, slices = volume.shape
    between_columns, between_rows, step = spacing_mm(volume.affine)
    x, y, z = volume.affine[:3, 3]
    plan = Plan(
        between_rows=between_rows,
        between_columns=between_columns,
        step=step,
        origin=(-x, -y, z),
        slices=slices,
        rows=rows,
        columns=columns,
    )
    for number, (name, image) in enumerate(zip(volume.sequences, volume.array, strict=True), 1):
        stored = np.rint(100 * image).astype(int).transpose(2, 1, 0)
        save(folder, series(plan, stored, number, **TAGS[name]))


@pytest.mark.parametrize("packed", [False, True])
def test_a_study(packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    place = tmp_path / "in"
    write_head_as_dicom(place)
    if packed:
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
            for path in place.iterdir():
                archive.write(path, path.name)
        place = tmp_path / "in.zip"
    with all_unpacked([place]) as inputs:
        result = predict_files(
            PredictOptions(inputs=inputs, out=tmp_path / "out", model=Path("fake"))
        )
    (case,) = result.cases
    assert (case.case, case.sequences_used) == ("P1_20010203", ("t1", "flair"))
    mask, affine = read_nifti_labels(tmp_path / "out" / "P1_20010203_mask.nii.gz")
    volume = head_volume(*LPS)
    assert np.allclose(affine, volume.affine, atol=1e-4)
    truth = world_points(head_labels(*LPS), volume.affine)
    found = world_points(mask, volume.affine)
    assert len(truth & found) / len(truth | found) > 0.7


def without(folder: Path, keyword: str) -> None:
    """Takes an attribute out of each file of a folder."""
    for path in folder.iterdir():
        image = dcmread(path)
        del image[keyword]
        image.save_as(path)


def changed(folder: Path, **values: str) -> None:
    """Changes attributes of each file of a folder."""
    for path in folder.iterdir():
        image = dcmread(path)
        for keyword, value in values.items():
            setattr(image, keyword, value)
        image.save_as(path)


def test_a_result_of_another_study_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same place, PatientID and date: a folder into which studies are dropped."""
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    place, out = tmp_path / "in", tmp_path / "out"
    write_head_as_dicom(place)
    keys: dict[str, Any] = {"inputs": (place,), "out": out, "model": Path("fake")}
    predict_files(PredictOptions(**keys))
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    changed(place, PatientName="Roe^Jane", StudyInstanceUID="1.2.3.4")
    with pytest.raises(CaseError, match=r"the result P1_20010203 of another study.*again=True"):
        predict_files(PredictOptions(**keys))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    predict_files(PredictOptions(**keys, again=True))
    assert json.loads((out / "P1_20010203.json").read_text())["study_uid"] == "1.2.3.4"


@pytest.mark.parametrize("out", ["in", "in/masks", "in/1/2"])
def test_results_in_the_folder_of_the_study_change_nothing(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    place = tmp_path / "in"
    write_dicom_head(place)
    keys: dict[str, Any] = {"inputs": (place,), "out": tmp_path / out, "model": Path("fake")}
    keys |= {"write": ("nifti", "nrrd", "png", "dicom-seg"), "probabilities": True, "bids": place}
    first, second = (predict_files(PredictOptions(**keys)) for _ in range(2))
    assert second.earlier == ("P1_20010203",)
    (again,) = predict_files(PredictOptions(**keys, again=True)).cases
    assert again.notes == first.cases[0].notes
    mask = tmp_path / out / "P1_20010203_mask.nii.gz"
    mask.rename(mask.with_name("P1_20010203_old.nii.gz"))
    (found,) = predict_files(PredictOptions(**keys)).cases
    assert "not used in a DICOM folder: P1_20010203_old.nii.gz" in found.notes


@pytest.mark.parametrize("keyword", ["PatientName", "PatientID", "PatientBirthDate"])
def test_chosen_series_of_two_people(
    keyword: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    write_head_as_dicom(tmp_path / "all")
    for path in sorted((tmp_path / "all").iterdir()):
        image = dcmread(path)
        name = "t1" if image.SeriesDescription == "Ax T1" else "flair"
        (tmp_path / name).mkdir(exist_ok=True)
        image.save_as(tmp_path / name / path.name)
    series_of = {name: tmp_path / name for name in ("t1", "flair")}
    keys: dict[str, Any] = {"out": tmp_path / "out", "model": Path("fake"), "sequences": series_of}
    changed(tmp_path / "t1", PatientName="Doe^Jane", PatientBirthDate="19700101")
    changed(tmp_path / "flair", PatientName="Doe^Jane", PatientBirthDate="19700101")
    predict_files(PredictOptions(**keys))
    changed(tmp_path / "t1", **{keyword: "19800101"})
    with pytest.raises(InputError, match=f"two people: {keyword} differs"):
        predict_files(PredictOptions(**keys, again=True))


def test_a_series_that_no_object_can_be_drawn_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a frame of reference there is no DICOM Segmentation, but a mask all the same."""
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    write_head_as_dicom(tmp_path / "in")
    without(tmp_path / "in", "FrameOfReferenceUID")
    keys: dict[str, Any] = {
        "inputs": (tmp_path / "in",),
        "out": tmp_path / "out",
        "model": Path("m"),
    }
    (case,) = predict_files(PredictOptions(**keys)).cases
    told = [note for note in case.notes if note.startswith("no DICOM Segmentation")]
    assert len(told) == 1
    assert "FrameOfReferenceUID" in told[0]
    assert str(tmp_path) not in told[0]
    assert {path.name for path in case.paths(tmp_path)} == {
        f"P1_20010203{ending}" for ending in (".html", ".json", ".png", "_mask.nii.gz")
    }
    assert "no DICOM Segmentation" in (tmp_path / "out" / "P1_20010203.html").read_text()
    assert predict_files(PredictOptions(**keys)).earlier
    with pytest.raises(FormatError, match=r"FrameOfReferenceUID.*leave dicom-seg and rtstruct out"):
        predict_files(PredictOptions(**keys, write=("nifti", "dicom-seg")))
