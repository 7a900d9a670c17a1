"""Works of workers, for tests; a task's id says what becomes of it."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gliomask.errors import ModelError
from gliomask.jobs.control import Control
from gliomask.jobs.dispatch import Report
from gliomask.jobs.worker_process import Work

_LOADED_BY = os.getpid()


@dataclass(frozen=True)
class Named:
    id: str


def make(folder: Path, slow_s: float = 0.0) -> Work[Named, Report]:
    """A work that writes a line to ``folder/<id>`` each time that it ends a task."""
    return partial(_work, folder, slow_s)


def loaded(folder: Path) -> Work[Named, Report]:
    """A work that writes down its variables, its threads and who was loaded by its parent."""
    return partial(_loaded, folder)


def prioritised(folder: Path) -> Work[Named, Report]:
    """A work that writes down its niceness, and that of its session where Linux counts sessions."""
    return partial(_prioritised, folder)


def broken() -> Work[Named, Report]:
    raise ModelError("damaged weights", path="model")


def dying() -> Work[Named, Report]:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _prioritised(folder: Path, task: Named, _control: Control) -> Report:
    session = Path("/proc/self/autogroup")
    text = session.read_text() if session.exists() else ""
    (folder / task.id).write_text(f"{os.nice(0)}\n{text}")
    return Report("done", task.id)


def _loaded(folder: Path, task: Named, control: Control) -> Report:
    names = ("GLIOMASK_TEST_VARIABLE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    values = [os.environ.get(name, "") for name in names]
    control.check()
    (folder / task.id).write_text(" ".join([*values, str(os.getpid() != _LOADED_BY)]))
    return Report("done", task.id)


def _work(folder: Path, slow_s: float, task: Named, control: Control) -> Report:
    with (folder / f"{task.id}.begun").open("a") as file:
        file.write(f"{os.getpid()}\n")
    kind = task.id.partition("-")[0]
    if kind == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "freezes" and (folder / f"{task.id}.begun").read_text().count("\n") == 1:
        os.kill(os.getpid(), signal.SIGSTOP)
        control.check()  # as any work does between two steps
    if kind == "bug":
        raise KeyError("a patient's name")
    if kind == "bad":
        return Report("failed", "constant image")
    if kind == "full" or (kind == "flaky" and not (folder / f"{task.id}.again").exists()):
        (folder / f"{task.id}.again").touch()
        return Report("machine", "no space left")
    end = time.monotonic() + (60.0 if kind == "long" else slow_s)
    while time.monotonic() < end:
        control.check()
        time.sleep(0.01)
    control.start(4, "slices")
    control.advance(2)
    with (folder / task.id).open("a") as file:
        file.write("done\n")
    return Report("done", f"key of {task.id}")
