"""Worker processes: what becomes of a task when its worker dies, freezes or is asked to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gliomask.errors import MachineError, ModelError
from gliomask.jobs.dispatch import Report
from gliomask.jobs.priority import at_lower_priority
from gliomask.jobs.worker_events import Cancelled, Crashed, Event, Finished, Lost
from gliomask.jobs.workers import Workers
from tests.jobs.crews import Named, broken, dying, make, prioritised

KINDS = pytest.mark.parametrize(
    "preload", [(), ("tests.jobs.crews",)], ids=["fresh interpreter", "fork"]
)


def first(
    workers: Workers[Named, Report], task: str, *, given: bool = False
) -> Event[Named, Report]:
    """The first event of a task that is no progress."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if workers.idle and not given:
            workers.give(Named(task))
            given = True
        for event in workers.events(0.1):
            if isinstance(event, Finished | Crashed | Lost | Cancelled):
                return event
    raise AssertionError("nothing happened")


def begin(workers: Workers[Named, Report], task: str, folder: Path) -> None:
    """Gives a task, and waits until it is at work."""
    while not workers.idle:
        list(workers.events(0.1))
    workers.give(Named(task))
    while not (folder / f"{task}.begun").exists():
        time.sleep(0.01)


@KINDS
def test_a_worker_that_dies_costs_its_task_and_is_replaced(
    tmp_path: Path, preload: tuple[str, ...]
) -> None:
    with Workers(partial(make, tmp_path), 1, lease_s=20, preload=preload) as workers:
        assert first(workers, "a") == Finished(Named("a"), Report("done", "key of a"))
        lost = first(workers, "poison-1")
        assert isinstance(lost, Lost)
        assert "killed (signal 9)" in lost.reason
        crashed = first(workers, "bug-1")
        assert isinstance(crashed, Crashed)
        assert "KeyError" in crashed.reason
        assert "patient" not in crashed.reason
        assert isinstance(first(workers, "b"), Finished)


@KINDS
def test_a_frozen_worker_is_killed_before_its_task_is_given_again(
    tmp_path: Path, preload: tuple[str, ...]
) -> None:
    with Workers(partial(make, tmp_path), 1, lease_s=5, preload=preload) as workers:
        lost = first(workers, "freezes-1")
        assert isinstance(lost, Lost)
        assert "did not respond" in lost.reason
        pid = int((tmp_path / "freezes-1.begun").read_text())
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert not (tmp_path / "freezes-1").exists()
        assert isinstance(first(workers, "freezes-1"), Finished)


def test_a_task_that_takes_too_long_is_lost(tmp_path: Path) -> None:
    with Workers(partial(make, tmp_path), 1, limit_s=0.5) as workers:
        lost = first(workers, "long-1")
        assert isinstance(lost, Lost)
        assert "took longer than" in lost.reason


def test_a_cancelled_task_stops_and_its_worker_goes_on(tmp_path: Path) -> None:
    with Workers(partial(make, tmp_path), 1) as workers:
        assert isinstance(first(workers, "a"), Finished)
        begin(workers, "long-1", tmp_path)
        workers.cancel(Named("a"))  # which is done: nobody else is meant
        workers.cancel(Named("long-1"))
        assert first(workers, "long-1", given=True) == Cancelled(Named("long-1"))
        assert isinstance(first(workers, "b"), Finished)
        pids = {(tmp_path / f"{name}.begun").read_text() for name in ("a", "long-1", "b")}
        assert len(pids) == 1


def test_a_worker_is_killed_on_request(tmp_path: Path) -> None:
    with Workers(partial(make, tmp_path), 1) as workers:
        begin(workers, "freezes-1", tmp_path)
        workers.kill(Named("freezes-1"))
        assert isinstance(first(workers, "freezes-1", given=True), Lost)


def test_an_error_while_getting_ready_ends_all() -> None:
    with Workers(broken, 1) as workers, pytest.raises(ModelError, match="model: damaged weights"):
        first(workers, "a")


def test_workers_that_die_at_once_are_not_started_for_ever() -> None:
    with Workers(dying, 1) as workers, pytest.raises(MachineError, match="can't be started"):
        first(workers, "a")


def test_variables_hold_before_anything_is_loaded(tmp_path: Path) -> None:
    with Workers(partial(make, tmp_path), 1, {"GLIOMASK_TEST_VARIABLE": "1"}) as workers:
        first(workers, "a")
        pid = int((tmp_path / "a.begun").read_text())
        assert pid != os.getpid()
    assert "GLIOMASK_TEST_VARIABLE" not in os.environ


def test_workers_of_lower_priority(tmp_path: Path) -> None:
    """Within their session and, where Linux shares processors between sessions, as a session."""
    making = partial(at_lower_priority, partial(prioritised, tmp_path), 7)
    with Workers(making, 1) as workers:
        first(workers, "a")
    own, _, session = (tmp_path / "a").read_text().partition("\n")
    assert int(own) == min(os.nice(0) + 7, 19)
    if session:
        assert session.split()[-2:] == ["nice", "7"]


_PARENT = """
import sys, time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from gliomask.jobs.workers import Workers
from tests.jobs.crews import Named, make

if __name__ == "__main__":
    with Workers(partial(make, Path(sys.argv[1])), 1, preload=sys.argv[2:]) as workers:
        while not workers.idle:
            list(workers.events(0.1))
        workers.give(Named("long-1"))
        time.sleep(60)
"""


@KINDS
def test_workers_end_when_their_parent_is_killed(tmp_path: Path, preload: tuple[str, ...]) -> None:
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    parent = subprocess.Popen(
        [sys.executable, script, tmp_path, *preload], env={**os.environ, "PYTHONPATH": path}
    )
    begun = tmp_path / "long-1.begun"
    wait_for(lambda: begun.exists() and bool(begun.read_text()))
    worker = int(begun.read_text())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not alive(worker))


def wait_for(met: Callable[[], bool], most_s: float = 60.0) -> None:
    end = time.monotonic() + most_s
    while not met():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie that nobody has asked after."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
