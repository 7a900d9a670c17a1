"""Running ``predict`` again: only what is missing or would be different is done."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.cli import main as cli
from gliomask.core.atomic import MARK
from gliomask.core.prediction import Prediction
from gliomask.core.volume import Volume
from gliomask.errors import BatchError
from gliomask.formats.case_record import read_record, record_text
from gliomask.formats.nifti import read_nifti, write_nifti
from gliomask.inference.predictor import Predictor
from gliomask.results.prediction import staging
from gliomask.results.prediction.summary import PredictResult
from gliomask.studies.find import survey
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.fakes import FakeModel, head_volume, write_head, write_picture_head
from tests.workflows.heads import write_dicom_head

FIRST, SECOND = "BraTS-GLI-00001-000", "BraTS-GLI-00002-000"


@pytest.fixture(autouse=True)
def segmented(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cases that the network was asked about, in order."""
    asked: list[str] = []
    predict = Predictor.predict

    def spy(self: Predictor, volume: Volume, case: str = "case", **how: Any) -> Prediction:
        asked.append(case)
        return predict(self, volume, case, **how)

    monkeypatch.setattr(Predictor, "predict", spy)
    use_model(monkeypatch)
    return asked


def use_model(monkeypatch: pytest.MonkeyPatch, **card: Any) -> None:
    monkeypatch.setattr(
        "gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64, **card)
    )


def run(folder: Path, name: str = "in", **changes: Any) -> PredictResult:
    keys = {"write": ("nifti",), "uncertainty": False, **changes}
    inputs = (folder / name,)
    return predict_files(
        PredictOptions(inputs=inputs, out=folder / "out", model=Path("fake"), **keys)
    )


def table(folder: Path) -> dict[str, str]:
    """Case -> status."""
    with (folder / "out" / "cases.csv").open() as file:
        return {row["case"]: row["status"] for row in csv.DictReader(file)}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_what_is_done_is_not_done_again(tmp_path: Path, segmented: list[str]) -> None:
    write_head(tmp_path / "in", FIRST, head_volume())
    fresh = run(tmp_path)
    before = contents(tmp_path / "out")
    write_head(tmp_path / "in", SECOND, head_volume())
    both = run(tmp_path)
    assert segmented == [FIRST, SECOND]
    assert (fresh.earlier, both.earlier) == ((), (FIRST,))
    assert both.cases[0].files == fresh.cases[0].files
    assert both.cases[0].voxels == fresh.cases[0].voxels
    assert table(tmp_path) == {FIRST: "done", SECOND: "done"}
    after = contents(tmp_path / "out")
    assert all(after[name] == before[name] for name in before if name != "cases.csv")


@pytest.mark.parametrize(
    "changes",
    [
        {"again": True},
        {"threshold": 0.7},
        {"uncertainty": True},
        {"probabilities": True},
        {"write": ("nifti", "html")},
        {"write": ()},
        {"reference": "flair"},
    ],
    ids=str,
)
def test_another_option_does_it_anew(
    tmp_path: Path, segmented: list[str], changes: dict[str, Any]
) -> None:
    write_head(tmp_path / "in", FIRST, head_volume())
    run(tmp_path)
    assert run(tmp_path, **changes).earlier == ()
    assert segmented == [FIRST, FIRST]
    run(tmp_path, **{**changes, "again": False})
    assert len(segmented) == 2


def test_the_order_of_outputs_is_no_other_option(tmp_path: Path, segmented: list[str]) -> None:
    write_head(tmp_path / "in", FIRST, head_volume())
    run(tmp_path, write=("nifti", "html"))
    run(tmp_path, write=("html", "nifti"))
    assert segmented == [FIRST]


def test_another_model_does_it_anew(
    tmp_path: Path, segmented: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_head(tmp_path / "in", FIRST, head_volume())
    run(tmp_path)
    use_model(monkeypatch, weights_sha256="ab" * 32)
    run(tmp_path)
    assert len(segmented) == 2
    record = json.loads((tmp_path / "out" / f"{FIRST}.json").read_text())
    assert record["provenance"]["weights_sha256"] == "ab" * 32


def test_another_image_does_it_anew(tmp_path: Path, segmented: list[str]) -> None:
    """One voxel is another, the size and the name of the file are the same."""
    folder = write_head(tmp_path / "in", FIRST, head_volume())
    run(tmp_path)
    path = folder / f"{FIRST}-t1n.nii.gz"
    array, affine = read_nifti(path)
    array[12, 10, 4] += 1
    write_nifti(path, array, affine)
    run(tmp_path)
    assert len(segmented) == 2


def test_images_that_were_exchanged_are_others(tmp_path: Path, segmented: list[str]) -> None:
    folder = write_head(tmp_path / "in", FIRST, head_volume())
    run(tmp_path)
    one, other = folder / f"{FIRST}-t1n.nii.gz", folder / f"{FIRST}-t2f.nii.gz"
    held = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(held)
    run(tmp_path)
    assert len(segmented) == 2


def test_the_same_image_at_another_time_is_the_same(tmp_path: Path, segmented: list[str]) -> None:
    folder = write_head(tmp_path / "in", FIRST, head_volume())
    run(tmp_path)
    for path in folder.iterdir():
        path.touch()
    run(tmp_path)
    assert segmented == [FIRST]


@pytest.mark.parametrize("ending", ["_mask.nii.gz", ".png", ".html", ".json"])
def test_a_missing_file_does_it_anew(tmp_path: Path, segmented: list[str], ending: str) -> None:
    write_head(tmp_path / "in", FIRST, head_volume())
    run(tmp_path, write=None)
    gone = tmp_path / "out" / f"{FIRST}{ending}"
    before = gone.read_bytes()
    gone.unlink()
    run(tmp_path, write=None)
    assert len(segmented) == 2
    assert ending in (".html", ".json") or gone.read_bytes() == before


def test_a_missing_picture_does_it_anew(tmp_path: Path, segmented: list[str]) -> None:
    write_picture_head(tmp_path, "in")
    (case,) = run(tmp_path).cases
    run(tmp_path)
    assert len(segmented) == 1
    gone = tmp_path / "out" / f"{case.case}_mask" / "5_mask.png"
    gone.unlink()
    run(tmp_path)
    assert len(segmented) == 2
    assert gone.is_file()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"case": "x"}', "\udcff"])
def test_a_damaged_record_does_it_anew(tmp_path: Path, segmented: list[str], text: str) -> None:
    write_head(tmp_path / "in", FIRST, head_volume())
    run(tmp_path)
    path = tmp_path / "out" / f"{FIRST}.json"
    whole = json.loads(path.read_text())
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    run(tmp_path)
    assert len(segmented) == 2
    del whole["timings_s"]
    found = json.loads(path.read_text())
    assert found.pop("timings_s")
    assert found == whole


def test_an_archive_is_known_by_what_it_holds(tmp_path: Path, segmented: list[str]) -> None:
    """It is unpacked to another place each time; the record tells the archive, not the place."""
    write_dicom_head(tmp_path / "study")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for path in sorted((tmp_path / "study").iterdir()):
            archive.write(path, path.name)
    first = run(tmp_path, "in.zip")
    second = run(tmp_path, "in.zip")
    assert len(segmented) == 1
    assert (first.earlier, second.earlier) == ((), (second.cases[0].case,))
    record = json.loads((tmp_path / "out" / f"{first.cases[0].case}.json").read_text())
    assert record["images"] == dict.fromkeys(("t1", "flair"), str(tmp_path / "in.zip"))
    assert "gliomask-" not in (tmp_path / "out" / f"{first.cases[0].case}.json").read_text()


def test_a_bad_study_among_several(tmp_path: Path, segmented: list[str]) -> None:
    """It is told each time, never stops the rest, and is done once it is whole."""
    for name in (FIRST, SECOND):
        write_head(tmp_path / "in", name, head_volume())
    path = tmp_path / "in" / FIRST / f"{FIRST}-t1n.nii.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:200])
    for _ in range(2):
        with pytest.raises(BatchError, match="1 failed, 1 done") as caught:
            run(tmp_path)
        assert [case for case, _ in caught.value.failures] == [FIRST]
        assert table(tmp_path) == {FIRST: "failed", SECOND: "done"}
    assert segmented == [SECOND]
    path.write_bytes(whole)
    run(tmp_path)
    assert segmented == [SECOND, FIRST]
    assert table(tmp_path) == {FIRST: "done", SECOND: "done"}


def test_the_exit_code_of_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (FIRST, SECOND):
        write_head(tmp_path / "in", name, head_volume())
    (tmp_path / "in" / FIRST / f"{FIRST}-t1n.nii.gz").write_bytes(b"damaged")
    words = ["predict", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--model", "./fake"]
    monkeypatch.setattr(sys, "argv", ["gliomask", *words, "--quick", "--write", "nifti"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 3
    said = capsys.readouterr().err
    assert f"  {FIRST}: " in said
    assert "error: 1 failed, 1 done" in said
    assert table(tmp_path) == {FIRST: "failed", SECOND: "done"}


def test_an_image_that_vanishes_is_a_case_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (FIRST, SECOND):
        write_head(tmp_path / "in", name, head_volume())

    def and_then_it_goes(*words: Any) -> Any:
        found = survey(*words)
        shutil.rmtree(tmp_path / "in" / FIRST)
        return found

    monkeypatch.setattr("gliomask.segmentation.folder.survey", and_then_it_goes)
    with pytest.raises(BatchError) as caught:
        run(tmp_path)
    ((case, reason),) = caught.value.failures
    assert case == FIRST
    assert "can't be read: No such file or directory" in reason


class _KilledError(BaseException):
    """What nothing catches."""


def test_a_run_that_is_killed_while_it_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, segmented: list[str]
) -> None:
    """Nothing stands under a final name but what an earlier run left."""
    write_head(tmp_path / "in", FIRST, head_volume())
    run(tmp_path, write=("nifti", "html"))
    before = contents(tmp_path / "out")

    def killed(*_: object, **__: object) -> None:
        raise _KilledError

    with monkeypatch.context() as patch:
        patch.setattr("gliomask.results.prediction.page.write_page", killed)
        with pytest.raises(_KilledError):
            run(tmp_path, write=("nifti", "html"), threshold=0.9)
    assert contents(tmp_path / "out") == before
    run(tmp_path, write=("nifti", "html"))
    assert len(segmented) == 2


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_a_run_that_is_killed_between_two_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, segmented: list[str], moves: int
) -> None:
    """Old and new files may stand beside each other, but no record says that they are whole."""
    write_head(tmp_path / "in", FIRST, head_volume())
    run(tmp_path, write=("nifti", "html"))
    move, left = staging._move, [moves]

    def killed(source: Path, target: Path) -> None:
        if not left[0]:
            raise _KilledError
        left[0] -= 1
        move(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(staging, "_move", killed)
        with pytest.raises(_KilledError):
            run(tmp_path, write=("nifti", "html"), threshold=0.9)
    assert not (tmp_path / "out" / f"{FIRST}.json").exists()
    run(tmp_path, write=("nifti", "html"))
    assert len(segmented) == 3
    assert not [name for name in contents(tmp_path / "out") if name.startswith(MARK)]


def test_the_record_moves_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_head(tmp_path / "in", FIRST, head_volume())
    moved: list[str] = []
    monkeypatch.setattr(staging, "_move", lambda source, _: moved.append(source.name))
    run(tmp_path, write=None)
    assert moved[-1] == f"{FIRST}.json"
    assert len(moved) == 4


def test_masks_are_equal_whether_done_at_once_or_resumed(tmp_path: Path) -> None:
    write_head(tmp_path / "in", FIRST, head_volume())
    run(tmp_path)
    first = (tmp_path / "out" / f"{FIRST}_mask.nii.gz").read_bytes()
    run(tmp_path, again=True)
    assert np.array_equal(
        np.frombuffer(first, np.uint8),
        np.frombuffer((tmp_path / "out" / f"{FIRST}_mask.nii.gz").read_bytes(), np.uint8),
    )


def test_no_file_of_another_result_stays_beside_the_mask(tmp_path: Path) -> None:
    """A page of one model beside the mask of another would be believed."""
    write_head(tmp_path / "in", "BraTS-GLI-00001-000", head_volume())
    out = tmp_path / "out"

    def go(**changes: Any) -> set[str]:
        options = PredictOptions(inputs=(tmp_path / "in",), out=out, model=Path("fake"), **changes)
        predict_files(options)
        names = {path.name.removeprefix("BraTS-GLI-00001-000") for path in out.iterdir()}
        return names - {"cases.csv"}

    assert go() == {".html", ".json", ".png", "_mask.nii.gz"}
    assert go(threshold=0.9, write=("nifti",)) == {".json", "_mask.nii.gz"}
    assert go(threshold=0.9, write=("png",)) == {".json", ".png", "_mask.nii.gz"}  # the same result
    record = read_record(out / "BraTS-GLI-00001-000.json")
    assert record is not None
    assert len(record.files) == 2


def test_a_record_can_not_have_other_files_removed(tmp_path: Path) -> None:
    name = "BraTS-GLI-00001-000"
    write_head(tmp_path / "in", name, head_volume())
    out = tmp_path / "out"
    options = PredictOptions(
        inputs=(tmp_path / "in",), out=out, model=Path("fake"), write=("nifti",)
    )
    predict_files(options)
    record = read_record(out / f"{name}.json")
    assert record is not None
    (tmp_path / f"{name}-thesis.doc").write_text("mine")
    (out / "other.doc").write_text("mine")
    odd = (f"../{name}-thesis.doc", "other.doc", f"{name}/../other.doc")
    text = record_text(record.model_copy(update={"files": odd, "result": "0" * 64}))
    (out / f"{name}.json").write_text(text)
    predict_files(options)
    assert (tmp_path / f"{name}-thesis.doc").exists()
    assert (out / "other.doc").exists()
