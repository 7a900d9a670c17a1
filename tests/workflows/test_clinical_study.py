"""A whole clinical study, as a scanner made it, used without a word from the user.

The real one is ``sample_volume/dcm`` of the public repository koriavinash1/DeepBrainSeg: a Philips
scanner, 19 series, T1 repeated after the injection without a word of it. ``GLIOMASK_PHILIPS``
names its folder.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.errors import CaseError
from gliomask.studies.one_grid import load_on_one_grid
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.alignment.test_enhancement import SHAPE, t1
from tests.fakes import FakeModel
from tests.finding import find_studies
from tests.formats.dicom.made import CORONAL, Plan, pixels, save, series
from tests.studies.test_dicom_study import FLAIR, T1, T2

PLAN = Plan(
    between_rows=3.0,
    between_columns=3.0,
    step=3.0,
    origin=(-90.0, -108.0, -72.0),
    columns=SHAPE[0],
    rows=SHAPE[1],
    slices=SHAPE[2],
)
FRONT = replace(PLAN, directions=CORONAL, slices=SHAPE[1], rows=SHAPE[2], origin=(-90.0, -108, 69))


def write(folder: Path, number: int, time: str, image: np.ndarray[Any, Any], **tags: Any) -> None:
    """An axial series of an image (I, J, K) in LPS, made at a time."""
    when = {"AcquisitionDate": "20010203", "AcquisitionTime": time}
    stored = np.rint(np.clip(image + 40, 0, None)).astype(int).transpose(2, 1, 0)
    save(folder / str(number), series(PLAN, stored, number, **{**tags, **when}))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FLAIR, a coronal T1 with more slices, T1, T1 again after an injection, a useless T2."""
    folder = tmp_path_factory.mktemp("study") / "study"
    write(folder, 1, "100000", t1(1), **FLAIR)
    save(folder / "2", series(FRONT, pixels(FRONT), 2, **T1, AcquisitionTime="100300"))
    write(folder, 3, "100500", t1(2), **T1)
    write(folder, 4, "101700", t1(3, vessels=80), **T1)
    spine = replace(PLAN, origin=(-90.0, -108.0, -900.0))
    save(folder / "5", series(spine, pixels(spine), 5, **{**T2, "SeriesDescription": "Ax T2"}))
    return folder


@pytest.fixture(scope="module")
def unenhanced(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same study, but its second T1 shows no contrast agent."""
    folder = tmp_path_factory.mktemp("unenhanced") / "study"
    shutil.copytree(study, folder)
    write(folder, 4, "101700", t1(3), **T1)
    return folder


def predicted(study: Path, out: Path) -> dict[str, Any]:
    predict_files(PredictOptions(inputs=(study,), out=out, model=Path("fake"), write=("nifti",)))
    record: dict[str, Any] = json.loads((out / "P1_20010203.json").read_text())
    return record


def model(monkeypatch: pytest.MonkeyPatch, *sequences: str) -> None:
    fake = FakeModel(size=64, sequences=sequences, in_channels=len(sequences))
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", fake)


def test_a_study_works_by_default(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(monkeypatch, "t1", "t1ce", "flair")
    record = predicted(study, tmp_path / "out")
    assert record["sequences_used"] == ["t1", "t1ce", "flair"]
    used = [one["series"].split()[1] for one in record["series"] if one["used"]]
    assert used == ["1", "3", "4"]
    t2 = record["series"][4]
    assert (t2["used"], t2["why"]) == (False, "the model fake takes t1, t1ce, flair")
    (note,) = (note for note in record["notes"] if note.startswith("t1ce is after contrast"))
    assert "it repeats the protocol of series 3 (Ax T1) 12 min later" in note
    assert record["provenance"]["alignment"]["reference"] == "flair"
    assert record["provenance"]["alignment"]["contrast"]["verdict"] == "after"


def test_a_repeat_that_shows_no_agent_is_asked_about(
    unenhanced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(monkeypatch, "t1", "t1ce", "flair")
    with pytest.raises(CaseError, match=r"if it was: `... series=t1=3 series=t1ce=4`"):
        predicted(unenhanced, tmp_path / "out")


@pytest.mark.slow
def test_a_model_without_t1_after_contrast_does_not_ask(
    unenhanced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(monkeypatch, "t1", "flair")
    assert predicted(unenhanced, tmp_path / "out")["sequences_used"] == ["t1", "flair"]


def test_a_series_of_another_place_is_refused_by_name(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(monkeypatch, "t2", "flair")
    with pytest.raises(CaseError, match=r"t2 shows too little of the head in flair") as refused:
        predicted(study, tmp_path / "out")
    assert "series 5 (Ax T2)" in str(refused.value)


def test_the_philips_study() -> None:
    place = os.environ.get("GLIOMASK_PHILIPS", "")
    if not place:
        pytest.skip("GLIOMASK_PHILIPS does not name the Philips study")
    (case,) = find_studies((Path(place),))
    used = {one.sequence: one.series.split()[1] for one in case.series if one.used}
    assert used == {"t1": "901", "t1ce": "1201", "t2": "401", "flair": "701"}
    images = {name: case.images[name] for name in ("t1", "t1ce", "flair")}
    study = load_on_one_grid(replace(case, images=images))
    assert study.volume.shape == (256, 256, 26)
    assert any(note.startswith("t1ce is after contrast") for note in study.notes)
    assert not study.reasons
