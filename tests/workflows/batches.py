"""Heads and a tiny model with drawn weights, for batches that run as people run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pytest
import torch

from gliomask.config.batch import BatchOptions
from gliomask.core.slices import VERSION
from gliomask.inference.predictor import load_predictor
from gliomask.jobs.control import SILENT
from gliomask.jobs.dispatch import Report
from gliomask.jobs.worker_events import Event, Finished, Pool
from gliomask.jobs.worker_process import Work
from gliomask.nets.u2net import build_model
from gliomask.nets.weights import save_model
from gliomask.results.batch.manifest import Manifest
from gliomask.segmentation.batch_pool import plain_options
from gliomask.segmentation.batch_worker import open_folder
from gliomask.segmentation.case_task import CaseTask
from tests.fakes import fake_card, head_volume, write_head

ROOT = Path(__file__).parents[2]


def write_model(folder: Path) -> Path:
    """A network with drawn weights and the threshold at which it marks half of a head."""
    torch.manual_seed(3)
    network = build_model("u2net-tiny", in_channels=2, out_channels=1)
    card = fake_card(name="tiny", size=32, preprocess={"version": VERSION}, threshold=0.544)
    save_model(folder, network, card)
    return folder


def write_heads(folder: Path, count: int) -> list[str]:
    """Heads that differ in their values: their ids."""
    names = [f"BraTS-GLI-{n:05d}-000" for n in range(count)]
    for n, name in enumerate(names):
        volume = head_volume()
        volume.array[:, 10:12, 5:8, 2:4] += 10 * (n + 1)
        write_head(folder, name, volume)
    return names


def environment() -> dict[str, str]:
    """That a command of this checkout runs in, with one thread."""
    paths = [str(ROOT / "src"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def start(*words: str | Path) -> subprocess.Popen[str]:
    """Starts ``gliomask batch``."""
    command = [sys.executable, "-P", "-m", "gliomask", "batch", *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(), stdout=pipe, stderr=pipe, text=True)


def run(*words: str | Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``gliomask batch``."""
    with start(*words) as process:
        out, err = process.communicate(timeout=600)
        return process.returncode, out, err


def status(out: Path) -> dict[str, list[str]]:
    """What ``--status`` says."""
    code, text, err = run("--out", out, "--status", "--json")
    assert code == 0, err
    found: dict[str, list[str]] = json.loads(text)
    return found


def workers_of(pid: int) -> list[int]:
    """The worker processes of a batch: sessions of their own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        state, parent, session = fields[0], int(fields[1]), int(fields[3])
        if parent == pid and session == int(path.parent.name) and state != "Z":
            found.append(session)
    return found


def wait_for(met: Callable[[], bool], most_s: float = 300.0, pause_s: float = 0.02) -> None:
    end = time.monotonic() + most_s
    while not met():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(pause_s)


def check_whole(out: Path, names: list[str], masks: dict[str, bytes]) -> None:
    """All cases has all its files, and the mask that ``predict`` writes; nothing else is there."""
    expected = {f"{name}{end}" for name in names for end in (".json", "_mask.nii.gz")}
    there = {path.name for path in out.iterdir() if not path.name.startswith(".writing-")}
    assert there == expected | {"cases.csv", "batch.html", ".batch"}
    for name in names:
        record = json.loads((out / f"{name}.json").read_text())
        assert record["files"] == [f"{name}_mask.nii.gz"]
        assert (out / f"{name}_mask.nii.gz").read_bytes() == masks[name]


class InProcess:
    """A pool of one worker that is this process, for tests in which nothing has to die."""

    def __init__(self, work: Work[CaseTask, Report]) -> None:
        self._work, self._tasks = work, list[CaseTask]()

    @property
    def idle(self) -> int:
        return 1 - len(self._tasks)

    @property
    def busy(self) -> tuple[CaseTask, ...]:
        return tuple(self._tasks)

    def give(self, task: CaseTask) -> None:
        self._tasks.append(task)

    def events(self, wait_s: float) -> Iterator[Event[CaseTask, Report]]:
        while self._tasks:
            yield Finished(self._tasks[0], self._work(self._tasks.pop(0), SILENT))

    def stop(self) -> list[Finished[CaseTask, Report]]:
        return []


def run_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has ``batch`` use this process, in which a model is loaded once."""

    @contextmanager
    def pool(
        options: BatchOptions, manifest: Manifest, todo: int
    ) -> Iterator[tuple[Pool[CaseTask, Report], int]]:
        assert todo
        yield InProcess(open_folder(plain_options(options, manifest), manifest.path)), 1

    monkeypatch.setattr("gliomask.workflows.batch.case_pool", pool)
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", _loaded)


_loaded = lru_cache(load_predictor)
