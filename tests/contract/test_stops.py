"""Whatever is stopped, and whenever: nothing partial under a final name, nothing lost, and the
next run ends as one that was never stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from gliomask.core.atomic import MARK
from gliomask.errors import StoppedError
from gliomask.formats.nifti import write_nifti
from gliomask.jobs.control import Control
from gliomask.phantom.cohort import write_cohort
from gliomask.phantom.options import PatientOptions as Scans
from gliomask.workflows.bench import BenchOptions, bench
from gliomask.workflows.calibrate import CalibrateOptions, calibrate
from gliomask.workflows.compare import CompareOptions, compare_evaluations
from gliomask.workflows.doctor import DoctorOptions, doctor
from gliomask.workflows.evaluate import EvaluateOptions, evaluate
from gliomask.workflows.export import ExportOptions, export
from gliomask.workflows.follow import FollowOptions, follow
from gliomask.workflows.inspect import InspectOptions, inspect
from gliomask.workflows.phantom import PhantomOptions, phantom
from gliomask.workflows.predict import PredictOptions, predict_files
from gliomask.workflows.prepare import PrepareOptions, prepare
from gliomask.workflows.score import ScoreOptions, score
from gliomask.workflows.train import TrainOptions, train
from gliomask.workflows.watch import WatchOptions, watch
from tests.fakes import FakeModel, head_labels, head_volume, write_head
from tests.heard import Heard
from tests.learning.stores import write_store

Work = Callable[[Path, Control], object]
TINY = ("network=u2net-tiny", "input.size=32", "batch_size=4", "epochs=1", "augment.affine=0")
SMALL = Scans(matrix=48, slices=12, slice_mm=12.0)
CASES = ("BraTS-GLI-00001-000", "BraTS-GLI-00002-000")


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    monkeypatch.setattr("gliomask.evaluation.assignment.load_predictor", FakeModel(size=64))
    monkeypatch.setattr("gliomask.workflows.train.draw_curves", lambda _run, _note: [])
    monkeypatch.setattr("gliomask.speed.peak._SIDE", 64)  # of bench
    monkeypatch.setattr("gliomask.speed.peak._BYTES", 2**20)
    monkeypatch.setattr(os, "fsync", lambda _file: None)
    monkeypatch.setattr(
        "gliomask.workflows.phantom.write_cohort", partial(write_cohort, options=SMALL)
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the use cases read: a data set, masks, two evaluations, a store and a run."""
    root = tmp_path_factory.mktemp("world")
    for number, case in enumerate(CASES):
        write_head(root / "heads", case, head_volume(), head_labels())
        for tool, moved in (("one", 0), ("two", 1)):
            mask = np.roll(head_labels(), moved + number, axis=0)
            write_nifti(root / tool / f"{case}.nii.gz", mask, head_volume().affine)
    for number in range(3, 6):
        write_head(root / "cohort", f"BraTS-GLI-0000{number}-000", head_volume(), head_labels())
    write_store(root / "store")
    asked = Asked()
    run_train(root / "store", root / "run", Control(stop_requested=asked))
    (root / "calls").write_text(str(asked.calls))
    for tool in ("one", "two"):
        score(scoring(root, tool, root / f"{tool}-scored"))
    return root


def scoring(root: Path, tool: str, out: Path) -> ScoreOptions:
    keys = {"references": root / "heads", "predictions": root / tool, "out": out, "workers": 1}
    return ScoreOptions.model_validate({**keys, "report": False})


def run_train(store: Path, out: Path, control: Control, **more: object) -> object:
    keys = {"store": store, "out": out, "changes": TINY, "device": "cpu", "calibration": False}
    return train(TrainOptions.model_validate({**keys, **more}), control)


def work_of(name: str, root: Path) -> Work:
    """A use case as a function of its output folder and its control."""
    model, heads, store = root / "run", root / "heads", root / "store"
    masks = tuple(root / tool / f"{CASES[0]}.nii.gz" for tool in ("one", "two"))
    scored = (root / "one-scored", root / "two-scored")
    found: dict[str, Work] = {
        "predict": lambda out, control: predict_files(
            PredictOptions(
                inputs=(heads,), out=out, model=Path("fake"), write=("nifti",), again=True
            ),
            control,
        ),
        "train": lambda out, control: run_train(store, out, control),
        "evaluate": lambda out, control: evaluate(
            EvaluateOptions(source=heads, model=Path("fake"), out=out, report=False), control
        ),
        "score": lambda out, control: score(scoring(root, "one", out), control),
        "compare": lambda out, control: compare_evaluations(
            CompareOptions(evaluations=scored, out=out), control
        ),
        "prepare": lambda out, control: prepare(
            PrepareOptions(sources=(root / "cohort",), out=out, workers=1, folds=0), control
        ),
        "follow": lambda out, control: follow(FollowOptions(inputs=masks, out=out), control),
        "export": lambda out, control: export(ExportOptions(model=model, out=out), control),
        "phantom": lambda out, control: phantom(PhantomOptions(out=out, patients=1), control),
    }
    return found[name]


WRITE: Final = (
    "predict", "train", "evaluate", "score", "compare", "prepare", "follow", "export", "phantom",
)  # fmt: skip
REPLACE: Final = ("predict", "evaluate", "score", "compare", "follow")
"""Those that write over an earlier result of theirs."""


@dataclass
class Asked:
    """Stands for ``stop_requested``; at one of its calls it lets another thread request a stop."""

    stop_at: int = 0
    calls: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> bool:
        self.calls += 1
        if self.calls == self.stop_at:
            self.reached.set()
            assert self.stop.wait(60)
        return self.stop.is_set()


def stopped_at(call: int, work: Work, out: Path) -> None:
    """Does the work in another thread than the one that stops it."""
    asked, errors = Asked(call), list[BaseException]()

    def target() -> None:
        try:
            work(out, Control(stop_requested=asked))
        except BaseException as error:
            errors.append(error)
            asked.reached.set()

    thread = threading.Thread(target=target)
    thread.start()
    assert asked.reached.wait(60)
    asked.stop.set()
    thread.join(60)
    (error,) = errors
    assert isinstance(error, StoppedError), error


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def visible(folder: Path) -> set[str]:
    """All files under a final name."""
    every = contents(folder) if folder.is_dir() else {}
    return {name for name in every if not any(part[0] == "." for part in Path(name).parts)}


def units(name: str, files: set[str]) -> list[set[str]]:
    """The files that appear together."""
    if name == "predict":
        return [{one for one in files if one.startswith(case)} for case in CASES]
    if name == "prepare":
        patients = {one.split("/")[1] for one in files if one.startswith("patients/")}
        return [{one for one in files if one.startswith(f"patients/{p}/")} for p in patients]
    return [files]


def check_nothing_partial(name: str, left: Path, whole: set[str]) -> None:
    there = visible(left)
    for unit in units(name, whole):
        assert there & unit in (set(), unit)
    if name == "prepare" and "manifest.json" in there:
        assert there == whole
    assert not [p for p in left.parent.rglob("*") if p.name.startswith(MARK)]


@pytest.mark.parametrize("name", [one for one in WRITE if one != "train"])
def test_nothing_partial_is_left_whenever_it_is_stopped(
    name: str, world: Path, tmp_path: Path
) -> None:
    work, asked = work_of(name, world), Asked()
    work(tmp_path / "whole", Control(stop_requested=asked))
    whole, calls = visible(tmp_path / "whole"), asked.calls
    assert calls >= 3
    for call in sorted({1, 2, calls // 3, calls // 2, calls - 1}):
        out = tmp_path / f"stopped-{call}" / "out"
        out.parent.mkdir()
        stopped_at(call, work, out)
        check_nothing_partial(name, out, whole)
    work(out, Control())
    assert visible(out) == whole


@pytest.mark.parametrize("name", REPLACE)
def test_an_earlier_result_stays_when_its_successor_is_stopped(
    name: str, world: Path, tmp_path: Path
) -> None:
    work, asked, out = work_of(name, world), Asked(), tmp_path / "here" / "out"
    work(out, Control(stop_requested=asked))
    before = contents(out)
    stopped_at(max(2, asked.calls // 3), work, out)
    assert contents(out) == before
    assert not [p for p in out.parent.rglob("*") if p.name.startswith(MARK)]


@pytest.mark.parametrize(
    "share",
    [pytest.param(0.0, marks=pytest.mark.slow), 0.5, pytest.param(0.9, marks=pytest.mark.slow)],
)
def test_a_stopped_training_goes_on(world: Path, tmp_path: Path, share: float) -> None:
    """A run folder grows; what stands in it is whole, so the run ends as one without a stop."""
    calls = int((world / "calls").read_text())
    out = tmp_path / "stopped" / "out"
    out.parent.mkdir()
    stopped_at(max(1, round(share * calls)), work_of("train", world), out)
    assert not [p for p in out.parent.rglob("*") if p.name.startswith(MARK)]
    begun = (out / "checkpoints").is_dir()
    run_train(world / "store", out, Control(), resume=begun)
    rows = [(run / "iterations.csv").read_text() for run in (out, world / "run")]
    assert rows[0] == rows[1]


def test_calibration_changes_the_card_at_its_end(world: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(world / "run", run)
    before, asked = contents(run), Asked()

    def work(_out: Path, control: Control) -> object:
        return calibrate(CalibrateOptions(model=str(run), store=world / "store"), control)

    work(run, Control(stop_requested=asked))
    after = contents(run)
    assert after.keys() == before.keys()
    shutil.rmtree(run)
    shutil.copytree(world / "run", run)
    for call in (1, asked.calls // 2, asked.calls - 1):
        stopped_at(call, work, run)
        assert contents(run) == before


@pytest.mark.parametrize(
    "work",
    [
        lambda root, control: inspect(InspectOptions(paths=(root / "heads",), full=True), control),
        lambda _root, control: doctor(DoctorOptions(), control),
        lambda root, control: bench(
            BenchOptions(models=(str(root / "run"),), threads=1, seconds=1.0), control
        ),
    ],
    ids=["inspect", "doctor", "bench"],
)
def test_those_that_write_nothing_stop_too(
    work: Callable[[Path, Control], object], world: Path
) -> None:
    with pytest.raises(StoppedError):
        work(world, Control(stop_requested=lambda: True))


def test_watching_ends_with_a_stop(world: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    how = PredictOptions(out=tmp_path / "out", model=Path("fake"), write=("nifti",))
    studies = watch(
        WatchOptions(folder=world / "heads", predict=how, every_s=0.01),
        Control(stop_requested=stop.is_set),
    )
    result = next(studies)
    (done,) = result.cases
    stop.set()
    with pytest.raises(StoppedError):
        next(studies)
    assert (done.case, result.failures) == (CASES[0], ())
    assert {name for name in visible(tmp_path / "out") if name.startswith(CASES[1])} == set()


def test_another_process_stops_the_workers_of_prepare(world: Path, tmp_path: Path) -> None:
    """By a file, and not before two worker processes have begun."""
    started, request, out = tmp_path / "started", tmp_path / "stop", tmp_path / "here" / "out"
    script = (
        "import pathlib, time\n"
        f"while not pathlib.Path({str(started)!r}).exists(): time.sleep(0.01)\n"
        f"pathlib.Path({str(request)!r}).touch()"
    )

    class Starting(Heard):
        def advance(self, steps: float = 1, note: str = "") -> None:
            super().advance(steps, note)
            started.touch()

    options = PrepareOptions(sources=(world / "cohort",), out=out, workers=2, folds=0)
    with subprocess.Popen([sys.executable, "-c", script]) as other:
        with pytest.raises(StoppedError):
            stop_late(options, Control(Starting(), request.exists), request)
        assert other.wait(60) == 0
    prepare(options.model_copy(update={"out": tmp_path / "whole", "workers": 1}))
    check_nothing_partial("prepare", out, visible(tmp_path / "whole"))


def stop_late(options: PrepareOptions, control: Control, request: Path) -> None:
    """Prepares; small patients may be done before the other process has seen that they began."""
    prepare(options, control)
    if request.exists():
        control.check()


def steps_of(name: str, root: Path, out: Path) -> Iterator[tuple[float, str]]:
    heard = Heard()
    work_of(name, root)(out, Control(heard))
    yield from zip(heard.steps, heard.notes, strict=True)


@pytest.mark.parametrize("name", ["predict", "evaluate", "score", "prepare", "phantom"])
def test_progress_moves_within_a_case(name: str, world: Path, tmp_path: Path) -> None:
    steps = list(steps_of(name, world, tmp_path / "out"))
    within = [note for step, note in steps if 0 < step < 1 and note]
    assert len(within) >= 4
    assert all(step >= 0 for step, _ in steps)


def test_progress_moves_within_an_epoch(world: Path, tmp_path: Path) -> None:
    steps = list(steps_of("train", world, tmp_path / "out"))
    assert sum("epoch 1/1" in note for _, note in steps) == 5  # 20 slices, 4 at a time
    assert sum(step for step, _ in steps) == pytest.approx(6 + 20 + 10)  # read, learned, validated
