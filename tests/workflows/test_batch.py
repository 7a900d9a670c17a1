"""``batch``: the results of ``predict``, each once, whatever dies."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gliomask.errors import BatchError, ConfigError, InputError, MachineError, StoppedError
from gliomask.jobs.control import Control
from gliomask.results.batch.places import BatchFolder
from gliomask.results.batch.status import read_status
from gliomask.workflows.batch import BatchOptions, BatchResult, batch, make_manifest
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.jobs.test_workers import alive
from tests.workflows.batches import (
    check_whole,
    run,
    run_in_process,
    start,
    status,
    wait_for,
    workers_of,
    write_heads,
    write_model,
)
from tests.workflows.test_predict_dicom import write_head_as_dicom

CASES = 4


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, heads, and what ``predict`` makes of them."""
    folder = tmp_path_factory.mktemp("batch")
    write_model(folder / "model")
    write_heads(folder / "in", CASES)
    predict_files(options(folder, folder / "predicted").predict)
    return folder


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases are done in this process."""
    run_in_process(monkeypatch)


def options(place: Path, out: Path, **changes: Any) -> BatchOptions:
    keys = {"inputs": (place / "in",), "model": place / "model", "write": ("nifti",)}
    predict = {**keys, **changes.pop("predict", {}), "out": out}
    return BatchOptions(predict=PredictOptions(**predict), **{"workers": 2, **changes})


def masks(place: Path) -> dict[str, bytes]:
    found = (place / "predicted").glob("*_mask.nii.gz")
    return {path.name.removesuffix("_mask.nii.gz"): path.read_bytes() for path in found}


def test_masks_are_those_of_predict(place: Path, tmp_path: Path) -> None:
    expected = masks(place)
    result = batch(options(place, tmp_path))
    assert sorted(result.done) == sorted(expected)
    assert result.failed == ()
    assert result.page == tmp_path / "batch.html"
    check_whole(tmp_path, sorted(expected), expected)
    theirs = (place / "predicted" / "cases.csv").read_text()
    assert (tmp_path / "cases.csv").read_text() == theirs
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*_mask.nii.gz")}
    assert batch(options(place, tmp_path, predict={"inputs": ()})).done == result.done
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*_mask.nii.gz")} == before


@pytest.mark.usefixtures("quick")
def test_what_can_not_be_used_is_listed_and_may_be_tried_again(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "in", tmp_path / "in")
    bad, *good = sorted(path.name for path in (tmp_path / "in").iterdir())
    file = next((tmp_path / "in" / bad).iterdir())
    content, out = file.read_bytes(), tmp_path / "out"
    file.write_bytes(b"damaged")
    asked = options(tmp_path, out, predict={"model": place / "model"})
    with pytest.raises(BatchError, match=f"1 failed, {CASES - 1} done; see {out}") as ended:
        batch(asked)
    result = ended.value.result
    assert isinstance(result, BatchResult)
    assert result.done == tuple(good)
    ((case, reason),) = result.failed
    assert case == bad
    assert "not a NIfTI file" in reason
    assert read_status(BatchFolder(out)).failed == result.failed
    assert f"{bad},failed" in (out / "cases.csv").read_text()
    file.write_bytes(content)  # another content is another task, so it is tried without being told
    assert batch(asked).failed == ()
    assert set(masks(place)) == set(read_status(BatchFolder(out)).done)


@pytest.mark.usefixtures("quick")
def test_shards_do_every_case_once_and_the_last_one_writes_the_page(
    place: Path, tmp_path: Path
) -> None:
    first = batch(options(place, tmp_path, shard="1/2"))
    assert first.page is None
    assert not (tmp_path / "batch.html").exists()
    middle = read_status(BatchFolder(tmp_path))
    assert len(middle.missing) == CASES - len(first.done)
    second = batch(options(place, tmp_path, shard="2/2", predict={"inputs": ()}))
    assert not set(first.done) & set(second.done)
    assert second.page is not None
    check_whole(tmp_path, sorted(masks(place)), masks(place))
    again = batch(options(place, tmp_path, shard="1/3"))  # other shards go on with what there is
    assert len(again.done) == (CASES + 2) // 3


def test_a_stop_leaves_nothing_partial_and_the_next_run_goes_on(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = tmp_path / "out"

    def some_done() -> bool:
        return bool(list(records.glob("*.json")))

    with pytest.raises(StoppedError):
        batch(options(place, records, workers=1), Control(stop_requested=some_done))
    done = read_status(BatchFolder(records)).done
    assert len(done) < CASES
    run_in_process(monkeypatch)
    assert batch(options(place, records)).failed == ()
    check_whole(records, sorted(masks(place)), masks(place))


@pytest.mark.usefixtures("quick")
def test_a_run_that_is_overtaken_stops(place: Path, tmp_path: Path) -> None:
    folder = BatchFolder(tmp_path)
    taken: list[bool] = []

    def take_over() -> bool:
        if not taken and folder.manifest.exists() and list(folder.manifest.parent.glob("run.*")):
            taken.append(True)
            next(folder.manifest.parent.glob("run.*")).write_text("another")
        return False

    with pytest.raises(InputError, match="another run has taken over"):
        batch(options(place, tmp_path), Control(stop_requested=take_over))


@pytest.mark.usefixtures("quick")
def test_a_folder_that_vanishes_ends_the_run(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def vanish() -> bool:
        if list(out.glob("*.json")):
            out.rename(tmp_path / "elsewhere")
        return False

    with pytest.raises(MachineError, match="the folder of the batch is gone"):
        batch(options(place, out), Control(stop_requested=vanish))
    assert not out.exists()


def test_options_are_those_of_the_manifest(place: Path, tmp_path: Path) -> None:
    make_manifest(options(place, tmp_path, shard="1/2"))
    other = {"uncertainty": False}
    with pytest.raises(ConfigError, match="made with other options"):
        make_manifest(options(place, tmp_path, shard="1/2", predict=other))
    with pytest.raises(ConfigError, match="made with other options"):
        make_manifest(options(place, tmp_path, predict={"inputs": (), **other}))
    found = make_manifest(BatchOptions(predict=PredictOptions(out=tmp_path)))
    assert found.options["write"] == ["nifti"]
    changed = make_manifest(options(place, tmp_path, predict=other))
    assert {one.of for one in found.cases}.isdisjoint(one.of for one in changed.cases)


@pytest.mark.usefixtures("quick")
def test_a_changed_file_is_not_segmented_unlisted(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "in", tmp_path / "in")
    asked = options(tmp_path, tmp_path / "out", predict={"model": place / "model"})
    make_manifest(asked)
    case = sorted((tmp_path / "in").iterdir())[0]
    os.utime(next(case.iterdir()), (1e9, 1e9))
    with pytest.raises(BatchError) as ended:
        batch(options(tmp_path, tmp_path / "out", predict={"inputs": (), "model": place / "model"}))
    assert [name for name, _ in ended.value.failures] == [case.name]
    assert "has changed since it was listed" in ended.value.failures[0][1]


@pytest.mark.usefixtures("quick")
def test_archives_and_folders(place: Path, tmp_path: Path) -> None:
    first, second, *_ = sorted((place / "in").iterdir())
    archive = shutil.make_archive(str(tmp_path / first.name), "zip", first.parent, first.name)
    inputs = (Path(archive), second)
    out = tmp_path / "out"
    predicted = options(place, tmp_path / "predicted", predict={"inputs": inputs}).predict
    cases = [one.case for one in predict_files(predicted).cases]
    assert sorted(batch(options(place, out, predict={"inputs": inputs})).done) == sorted(cases)
    for case in cases:
        theirs, ours = (
            json.loads((at / f"{case}.json").read_text()) for at in (predicted.out, out)
        )
        same = ("result", "key", "images", "voxels", "notes", "case", "patient")
        assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}


@pytest.mark.usefixtures("quick")
def test_a_dicom_study(place: Path, tmp_path: Path) -> None:
    """Its dates are values that JSON does not have."""
    write_head_as_dicom(tmp_path / "in")
    inputs = (tmp_path / "in",)
    predicted = options(place, tmp_path / "predicted", predict={"inputs": inputs}).predict
    (expected,) = predict_files(predicted).cases
    assert batch(options(place, tmp_path / "out", predict={"inputs": inputs})).done == (
        expected.case,
    )
    theirs, ours = (
        json.loads((at / f"{expected.case}.json").read_text())
        for at in (predicted.out, tmp_path / "out")
    )
    assert ours["study_date"] == theirs["study_date"] == "2001-02-03"
    assert ours["acquired"] == theirs["acquired"]
    assert ours["key"] == theirs["key"]


def test_a_case_called_like_the_page(place: Path, tmp_path: Path) -> None:
    """The page of the case would take the place of the page of the batch."""
    source = sorted((place / "in").iterdir())[0]
    for path in source.iterdir():
        kind = {"t1n": "t1", "t2f": "flair"}[path.name.removesuffix(".nii.gz").rpartition("-")[2]]
        (tmp_path / "batch").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / "batch" / f"batch_{kind}.nii.gz")
    found = make_manifest(options(place, tmp_path / "out", predict={"inputs": (tmp_path,)}))
    ((case, reason),) = found.problems
    assert (case, found.cases) == ("batch", ())
    assert "its page would be that of the batch; rename it" in reason


def test_kills_lose_nothing_and_do_nothing_twice(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker is killed, then its parent."""
    expected, out = masks(place), tmp_path / "out"
    _kill_often(place / "in", place / "model", out, expected, kills=2, workers=1)
    run_in_process(monkeypatch)
    batch(options(place, out))
    check_whole(out, sorted(expected), expected)
    found = read_status(BatchFolder(out))
    assert (sorted(found.done), found.missing, found.failed) == (sorted(expected), (), ())


@pytest.mark.slow
def test_a_hundred_kills(place: Path, tmp_path: Path) -> None:
    """Workers, and the parent of every few of them, are killed at moments that are drawn."""
    out, model = tmp_path / "out", place / "model"
    names = write_heads(tmp_path / "in", 100)
    predict_files(options(tmp_path, tmp_path / "predicted", predict={"model": model}).predict)
    expected = masks(tmp_path)
    words = _kill_often(tmp_path / "in", model, out, expected, kills=100, workers=2)
    code, _, err = run(*words)
    assert code == 0, err
    check_whole(out, names, expected)
    found = status(out)
    assert (sorted(found["done"]), found["missing"], found["failed"]) == (names, [], [])


def _kill_often(
    inputs: Path, model: Path, out: Path, expected: dict[str, bytes], *, kills: int, workers: int
) -> tuple[str | Path, ...]:
    """Runs the command until so many processes of it were killed: its words."""
    draw, left = random.Random(7), kills
    words = (inputs, "--out", out, "--model", model, "--write", "nifti")
    while left:
        parent = start(*words, "--workers", str(workers), "--tries", "50")
        left -= _kill(parent, out, draw, left, draw.randrange(1, 5))
        for record in out.glob("*.json"):
            assert (out / f"{record.stem}_mask.nii.gz").read_bytes() == expected[record.stem]
    return words


def _next_case(out: Path, parent: subprocess.Popen[str]) -> None:
    """Until another case is done, or the run is over."""
    before = len(list(out.glob("*.json")))
    wait_for(lambda: len(list(out.glob("*.json"))) > before or parent.poll() is not None)


def _kill(
    parent: subprocess.Popen[str], out: Path, draw: random.Random, most: int, workers: int
) -> int:
    """Kills so many workers, each after some case was done, and then the parent: how many."""
    killed = 0
    while killed < min(most - 1, workers) and parent.poll() is None:
        _next_case(out, parent)
        time.sleep(draw.uniform(0, 0.3))
        found = workers_of(parent.pid)
        if found:
            os.kill(draw.choice(found), signal.SIGKILL)
            killed += 1
    orphans = workers_of(parent.pid)
    parent.kill()
    parent.communicate()
    wait_for(lambda: not any(map(alive, orphans)))
    return killed + 1


@pytest.mark.parametrize("start_with", [batch, make_manifest])
def test_a_file_is_no_folder_to_write(
    place: Path, tmp_path: Path, start_with: Callable[[BatchOptions], object]
) -> None:
    out = tmp_path / "o"
    out.write_text("a file")
    with pytest.raises(InputError) as refused:
        start_with(options(place, out))
    assert str(refused.value) == f"{out}: not a folder; use another folder: `out`"
    assert out.read_text() == "a file"
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(InputError, match=r"does not exist \(target=nowhere\)"):
        start_with(options(place, tmp_path / "link"))
