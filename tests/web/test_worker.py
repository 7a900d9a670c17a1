"""Results of a worker for an upload of several cases, with a stand-in for the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.jobs.control import SILENT
from gliomask.web.folder import EDITABLE, RESULT
from gliomask.web.task import Task, TaskFile, TaskResult
from gliomask.web.worker import segmenter
from tests.fakes import FakeModel, head_volume, write_head

FIRST, SECOND = "BraTS-GLI-00001-000", "BraTS-GLI-00002-000"
SPEC = {"write": ["nifti"], "uncertainty": False}


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.segmentation.loaded_model.load_predictor", FakeModel(size=64))


def segmented(folder: Path, *damaged: str) -> tuple[Task, TaskResult]:
    """The task of an upload of two cases, some of them damaged, and its result."""
    for case in (FIRST, SECOND):
        write_head(folder / "scans", case, head_volume())
    for case in damaged:
        (folder / "scans" / case / f"{case}-t2f.nii.gz").write_bytes(b"damaged")
    paths = sorted((folder / "scans").rglob("*.nii.gz"))
    files = tuple((n, p.relative_to(folder).as_posix(), p) for n, p in enumerate(paths))
    task = Task("job", folder / "job")
    task.folder.mkdir()
    task.write(TaskFile(kind="predict", files=files, spec=SPEC, model=Path("fake")))
    return task, segmenter(Path("fake"), "auto", "auto")(task, SILENT)


def test_a_damaged_case_costs_the_others_nothing(tmp_path: Path) -> None:
    task, outcome = segmented(tmp_path, SECOND)
    assert (outcome.end, outcome.text) == ("done", "")
    assert [case["case"] for case in outcome.result["cases"]] == [FIRST]
    (failure,) = outcome.result["failures"]
    assert failure["case"] == SECOND
    file = f"scans/{SECOND}/{SECOND}-t2f.nii.gz"  # as the client calls it
    assert failure["reason"] == f"{SECOND}: {file}: not a NIfTI file"
    masks = [path.name for path in (task.folder / RESULT).glob("*_mask.nii.gz")]
    assert masks == [f"{FIRST}_mask.nii.gz"]
    assert len(list((task.folder / EDITABLE).iterdir())) == 1


def test_without_any_usable_case_it_fails(tmp_path: Path) -> None:
    task, outcome = segmented(tmp_path, FIRST, SECOND)
    assert (outcome.end, outcome.code) == ("failed", "cases")
    assert outcome.text.count("-t2f.nii.gz: ") == 2
    assert not (task.folder / RESULT).exists()
