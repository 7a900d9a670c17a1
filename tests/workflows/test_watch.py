"""``predict --watch``: what arrives is done once, when it is whole."""

from __future__ import annotations

import csv
import json
import pkgutil
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.errors import Failure, GliomaskError, InputError, MachineError
from gliomask.formats.nifti import write_nifti
from gliomask.inference.memory_plan import Share
from gliomask.inference.predictor import Predictor
from gliomask.jobs.control import Control
from gliomask.workflows import watch as watching
from gliomask.workflows.predict import PredictOptions
from gliomask.workflows.watch import WatchOptions
from tests.fakes import FakeModel, fake_card, head_volume, write_head
from tests.workflows.heads import write_dicom_head

FIRST, SECOND = "BraTS-GLI-00001-000", "BraTS-GLI-00002-000"
Step = Callable[[], object]


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))


class Watched:
    """A folder, what is told of it, and what happens between two looks."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place, self.out = folder / "arrivals", folder / "out"
        self.place.mkdir()
        self.told: list[str] = []
        self.failed: list[Failure] = []
        self.steps: list[Step] = []
        monkeypatch.setattr(Control, "wait", self._between)

    def _between(self, _: float) -> None:
        if self.steps:
            self.steps.pop(0)()

    def look(self, scans: int, *steps: Step, **changes: Any) -> None:
        """Looks so many times; a step happens after each look but the last."""
        self.steps = list(steps)
        keys = {"out": self.out, "model": Path("fake"), "write": ("nifti",), "uncertainty": False}
        options = PredictOptions.model_validate({**keys, **changes})
        asked = WatchOptions(folder=self.place, predict=options, scans=scans)
        for result in watching.watch(asked):
            self.told += [
                f"{case.case}{' earlier' if case.case in result.earlier else ''}"
                for case in result.cases
            ]
            self.failed += result.failures

    @property
    def table(self) -> dict[str, str]:
        """Case -> status."""
        with (self.out / "cases.csv").open() as file:
            return {row["case"]: row["status"] for row in csv.DictReader(file)}


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(tmp_path, monkeypatch)


def test_each_study_is_done_once(watched: Watched) -> None:
    write_head(watched.place, FIRST, head_volume())
    watched.look(5, lambda: None, lambda: write_head(watched.place, SECOND, head_volume()))
    assert watched.told == [FIRST, SECOND]
    assert watched.failed == []
    assert watched.table == {FIRST: "done", SECOND: "done"}
    assert (watched.out / f"{SECOND}_mask.nii.gz").is_file()


def test_one_look_is_not_enough(watched: Watched) -> None:
    write_head(watched.place, FIRST, head_volume())
    watched.look(1)
    assert watched.told == []
    assert not watched.out.exists()


def test_what_still_grows_is_left_alone(watched: Watched, tmp_path: Path) -> None:
    """A file of the study arrives in pieces between the looks."""
    made = write_head(tmp_path / "elsewhere", FIRST, head_volume())
    target = watched.place / FIRST
    target.mkdir()
    whole = (made / f"{FIRST}-t2f.nii.gz").read_bytes()

    def grow(until: int) -> None:
        (target / f"{FIRST}-t2f.nii.gz").write_bytes(whole[:until])

    shutil.copy(made / f"{FIRST}-t1n.nii.gz", target)
    third = len(whole) // 3
    steps: list[Step] = [lambda n=n: grow(n) for n in (third, 2 * third, len(whole))]  # type: ignore[misc]
    watched.look(4, *steps)
    assert (watched.told, watched.failed) == ([], [])
    watched.look(2)
    assert (watched.told, watched.failed) == ([FIRST], [])


def test_an_empty_folder_is_nothing_yet(watched: Watched) -> None:
    (watched.place / FIRST).mkdir()
    watched.look(3)
    assert (watched.told, watched.failed) == ([], [])


def test_a_hidden_name_is_no_study(watched: Watched) -> None:
    write_head(watched.place, FIRST, head_volume()).rename(watched.place / f".{FIRST}")
    watched.look(3)
    assert (watched.told, watched.failed) == ([], [])


def test_a_bad_study_is_told_once_and_the_others_go_on(watched: Watched) -> None:
    write_head(watched.place, FIRST, head_volume())
    (watched.place / FIRST / f"{FIRST}-t1n.nii.gz").write_bytes(b"damaged")
    (watched.place / "notes.txt").write_text("no image")
    write_head(watched.place, SECOND, head_volume())
    watched.look(4)
    assert watched.told == [SECOND]
    assert [name for name, _ in watched.failed] == [FIRST, "notes.txt"]
    assert all(reason for _, reason in watched.failed)
    assert watched.table == {FIRST: "failed", SECOND: "done", "notes.txt": "failed"}


def test_a_bad_study_that_is_mended(watched: Watched) -> None:
    write_head(watched.place, FIRST, head_volume())
    path = watched.place / FIRST / f"{FIRST}-t1n.nii.gz"
    whole = path.read_bytes()
    path.write_bytes(b"damaged")
    watched.look(5, lambda: None, lambda: path.write_bytes(whole))
    assert len(watched.failed) == 1
    assert watched.told == [FIRST]
    assert watched.table == {FIRST: "done"}


def test_a_folder_with_good_and_bad_studies(watched: Watched) -> None:
    batch = watched.place / "batch"
    write_head(batch, FIRST, head_volume())
    write_head(batch, SECOND, head_volume())
    (batch / FIRST / f"{FIRST}-t1n.nii.gz").write_bytes(b"damaged")
    watched.look(2)
    assert watched.told == [SECOND]
    assert [name for name, _ in watched.failed] == [FIRST]
    assert watched.table == {FIRST: "failed", SECOND: "done"}


def test_a_restart_goes_on(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    write_head(watched.place, FIRST, head_volume())
    watched.look(2)
    write_head(watched.place, SECOND, head_volume())
    asked: list[str] = []
    predict = Predictor.predict

    def spy(self: Predictor, volume: Any, case: str = "case", **how: Any) -> Any:
        asked.append(case)
        return predict(self, volume, case, **how)

    monkeypatch.setattr(Predictor, "predict", spy)
    watched.look(2)
    assert watched.told == [FIRST, f"{FIRST} earlier", SECOND]
    assert asked == [SECOND]
    assert watched.table == {FIRST: "done", SECOND: "done"}


def test_the_output_folder_may_lie_in_the_watched_one(watched: Watched) -> None:
    watched.out = watched.place / "out"
    write_head(watched.place, FIRST, head_volume())
    watched.look(6)
    assert watched.told == [FIRST]
    assert watched.failed == []


@pytest.mark.parametrize("where", ["", "deep/out"])
def test_but_nowhere_else_in_it(watched: Watched, where: str) -> None:
    watched.out = watched.place / where
    with pytest.raises(InputError, match="contains the output folder"):
        watched.look(1)


def test_archives_arrive_too(watched: Watched, tmp_path: Path) -> None:
    write_dicom_head(tmp_path / "study")
    with zipfile.ZipFile(watched.place / "study.zip", "w") as archive:
        for path in sorted((tmp_path / "study").iterdir()):
            archive.write(path, path.name)
    watched.look(4)
    assert watched.told == ["P1_20010203"]


def study_uids(folder: Path) -> dict[str, str]:
    """Case -> StudyInstanceUID of its record."""
    records = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    return {record["case"]: record["study_uid"] for record in records}


@pytest.mark.parametrize("again", [False, True])
def test_two_studies_of_one_name(watched: Watched, again: bool) -> None:
    """Anonymised studies: the same PatientID and date. Names stay in other orders."""
    for place, uid in (("b", "1.2"), ("c", "1.3")):
        write_dicom_head(watched.place / place, StudyInstanceUID=uid)
    watched.look(2, again=again)
    assert (watched.told, watched.failed) == (["P1_20010203", "P1_20010203-2"], [])
    write_dicom_head(watched.place / "a", StudyInstanceUID="1.4")
    watched.look(2, again=again)
    end = "" if again else " earlier"
    names = ["P1_20010203-3", f"P1_20010203{end}", f"P1_20010203-2{end}"]
    assert (watched.told[2:], watched.failed) == (names, [])
    uids = {"P1_20010203": "1.2", "P1_20010203-2": "1.3", "P1_20010203-3": "1.4"}
    assert study_uids(watched.out) == uids
    assert watched.table == dict.fromkeys(uids, "done")


@pytest.mark.parametrize("again", [False, True])
def test_two_folders_of_one_name(watched: Watched, again: bool) -> None:
    """NIfTI files have no StudyInstanceUID: the second result is refused."""
    for place, scale in (("b", 1), ("c", 2)):
        head = head_volume()
        for name, image in zip(("t1", "flair"), head.array * np.float32(scale), strict=True):
            write_nifti(watched.place / place / f"p1_{name}.nii.gz", image, head.affine)
    watched.look(2, again=again)
    assert watched.told == ["p1"]
    ((_, reason),) = watched.failed
    assert "the folder contains the result p1 of other images, in " in reason
    assert reason.endswith("/c: `out`")
    assert str(watched.place / "b") in (watched.out / "p1.json").read_text()


def test_what_vanishes_is_no_failure(watched: Watched) -> None:
    write_head(watched.place, FIRST, head_volume())
    watched.look(4, lambda: shutil.rmtree(watched.place / FIRST))
    assert (watched.told, watched.failed) == ([], [])


@pytest.mark.parametrize("place", ["segmentation.folder.survey", "inference.predictor.Predictor"])
def test_a_scan_beyond_the_memory_limit_ends_nothing_else(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Whether its headers or its voxels are too large; again after a restart."""
    plan = Share(threads=1, left=2**40, limit=2**40, most=0)
    monkeypatch.setattr("gliomask.segmentation.segmenter.share_of", lambda *_: plan)
    monkeypatch.setattr("gliomask.segmentation.segmenter.read_card", lambda _: fake_card())
    name = f"gliomask.{place}" + (".predict" if place.endswith("Predictor") else "")
    work = pkgutil.resolve_name(name)

    def fail(*given: Any, **how: Any) -> Any:
        if FIRST in repr((given, how)):
            raise MemoryError
        return work(*given, **how)

    monkeypatch.setattr(name, fail)
    write_head(watched.place, FIRST, head_volume())
    write_head(watched.place, SECOND, head_volume())
    for _ in range(2):
        watched.look(2, limit_memory=2**40)
    assert watched.told == [SECOND, f"{SECOND} earlier"]
    reason = "the scan needs more memory (`limit_memory`=1048576 MiB)"
    assert watched.failed == [(FIRST, reason)] * 2
    assert watched.table == {FIRST: "failed", SECOND: "done"}


def test_a_scan_beyond_the_memory_of_the_machine_ends_it(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Predictor, "predict", fail)
    write_head(watched.place, FIRST, head_volume())
    with pytest.raises(MemoryError):
        watched.look(2)


@pytest.mark.parametrize("error", [MachineError("no memory"), KeyboardInterrupt()], ids=str)
def test_what_ends_it(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Predictor, "predict", fail)
    write_head(watched.place, FIRST, head_volume())
    with pytest.raises(type(error)):
        watched.look(3)
    assert not watched.out.exists()


def test_wrong_folders(watched: Watched, tmp_path: Path) -> None:
    watched.place = tmp_path / "nowhere"
    with pytest.raises(InputError, match="no such folder"):
        watched.look(1)


def test_inputs_beside_it_are_refused(watched: Watched) -> None:
    for changes in ({"inputs": (watched.place,)}, {"sequences": {"t1": watched.place}}):
        with pytest.raises(GliomaskError, match="not both"):
            watched.look(1, **changes)
