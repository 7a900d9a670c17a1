"""``<case>.json`` and its schema; and what every artefact says that it is for."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import nibabel as nib
import pytest
from pydantic import ValidationError
from pydicom import Dataset, dcmread

from gliomask.formats import case_record
from gliomask.formats.case_record import (
    CaseRecord,
    existing_record,
    read_record,
    record_text,
    schema_text,
)
from gliomask.report.drawing import Canvas, Place
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.fakes import FakeModel, head_volume, write_head, write_picture_head
from tests.workflows.heads import write_dicom_head

NOTICE = "For research use only"
SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "case.schema.json"
EVERY = ("nifti", "png", "html", "dicom-seg", "rtstruct")


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))


def predicted(place: Path, **changes: Any) -> Path:
    """The record of the only case at a place; its other files lie beside it."""
    out = place.parent / "out"
    keys = {"inputs": (place,), "out": out, "model": Path("fake"), "write": (), **changes}
    (case,) = predict_files(PredictOptions.model_validate(keys)).cases
    return out / f"{case.case}.json"


def test_the_schema_in_docs_is_the_models() -> None:
    """After a change: ``schema_text()`` into the file, and a line in the change log."""
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()
    schema = json.loads(schema_text())
    assert schema["additionalProperties"] is False
    assert all(part["additionalProperties"] is False for part in schema["$defs"].values())
    assert all("description" in key for key in schema["properties"].values())


def test_a_record_says_what_the_schema_knows(tmp_path: Path) -> None:
    write_head(tmp_path / "in", "BraTS-GLI-00001-000", head_volume())
    path = predicted(tmp_path / "in")
    keys, schema = json.loads(path.read_text()), json.loads(SCHEMA.read_text())
    assert keys.keys() == schema["properties"].keys()
    assert set(schema["required"]) <= keys.keys()
    record = read_record(path)
    assert record is not None
    assert json.loads(record_text(record)) == keys
    assert record_text(record) == path.read_text()
    assert record.timings_s.keys() == {"read", "segment"}
    assert (record.form, record.shape, record.axes) == ("gliomask case 1", (24, 20, 8), "RAS")
    (lesion,) = record.lesions
    assert lesion["volume_ml"]["value"] == pytest.approx(record.volumes_ml["whole"])  # type: ignore[index]


def test_a_record_of_pictures(tmp_path: Path) -> None:
    record = read_record(predicted(write_picture_head(tmp_path, "someone")))
    assert record is not None
    assert record.lesions == ()
    assert record.intervals["whole"].ml is None


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_head(tmp_path / "in", "BraTS-GLI-00001-000", head_volume())
    return predicted(tmp_path / "in", uncertainty=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"unknown": 1},
        {"key": "0" * 63},
        {"form": "gliomask case 2"},
        {"voxels": {"whole": "many"}},
        {"shape": [1, 2]},
        {"reliability": {"level": "blue", "reasons": []}},
        {"reliability": {"level": "green", "reasons": [], "more": 1}},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(written: Path, changes: dict[str, object]) -> None:
    keys = {**json.loads(written.read_text()), **changes}
    with pytest.raises(ValidationError):
        CaseRecord.model_validate_json(json.dumps(keys))
    written.write_text(json.dumps(keys))
    assert existing_record(written) is None


def test_a_missing_key_is_refused(written: Path) -> None:
    keys = json.loads(written.read_text())
    optional = {"notice", "patient_known", "study_date", "acquired", "study_uid", "checksums"}
    for name in keys.keys() - optional:
        written.write_text(json.dumps({k: v for k, v in keys.items() if k != name}))
        assert existing_record(written) is None, name


def test_files_that_are_no_records(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = written.read_bytes()
    assert existing_record(tmp_path / "nowhere.json") is None
    assert existing_record(tmp_path) is None
    for content in (b"", whole[:-20], b"\xff\xfe", b"null", b"[" * 100_000, gzip.compress(whole)):
        written.write_bytes(content)
        assert existing_record(written) is None
    written.write_bytes(whole)
    assert read_record(written) is not None
    monkeypatch.setattr(case_record, "_MAX_BYTES", len(whole) - 1)
    assert existing_record(written) is None


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(2**40)  # a terabyte, none of it on the disk
    monkeypatch.delattr(Path, "read_bytes")
    assert existing_record(tmp_path / "huge.json") is None


def texts(dataset: Dataset) -> list[str]:
    return [str(e.value) for e in dataset.iterall() if e.VR in ("LO", "ST", "LT", "SH", "UT")]


def test_every_artefact_says_what_it_is_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    write = Canvas.text

    def spy(canvas: Canvas, place: Place, words: str, *more: Any) -> None:
        drawn.append(words)
        write(canvas, place, words, *more)

    monkeypatch.setattr(Canvas, "text", spy)
    write_dicom_head(tmp_path / "in")
    path = predicted(tmp_path / "in", write=EVERY, probabilities=True, disagreement=True)
    assert json.loads(path.read_text())["notice"] == NOTICE
    assert sum(NOTICE in " ".join(text.split()) for text in drawn) == 1
    assert NOTICE in path.with_suffix(".html").read_text()
    volumes = sorted(path.parent.glob("*.nii.gz"))
    assert len(volumes) == 3
    for volume in volumes:
        header = nib.nifti1.load(volume).header
        assert bytes(header["descrip"].item()).decode() == NOTICE
    for ending in (".seg.dcm", ".rtstruct.dcm"):
        assert any(NOTICE in text for text in texts(dcmread(path.with_suffix(ending))))
    with (path.parent / "cases.csv").open() as file:
        assert [row["notice"] for row in csv.DictReader(file)] == [NOTICE]
    told = {path.name, path.with_suffix(".html").name, path.with_suffix(".png").name, "cases.csv"}
    told |= {volume.name for volume in volumes}
    told |= {path.with_suffix(ending).name for ending in (".seg.dcm", ".rtstruct.dcm")}
    assert {entry.name for entry in path.parent.iterdir()} == told
