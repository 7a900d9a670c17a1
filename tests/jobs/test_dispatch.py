"""Tasks to workers: each done once, poison set aside, a run that goes on where another was."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gliomask.errors import MachineError, StoppedError
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.dispatch import RUNS, Dispatch, Ledger, Report, TaskState
from gliomask.jobs.journal import Journal
from gliomask.jobs.worker_events import Event, Finished
from gliomask.jobs.workers import Workers
from tests.jobs.crews import Named, make


def journal(folder: Path, name: str = "1") -> Journal[TaskState]:
    return Journal(folder / "tasks", TaskState, name)


def run(
    folder: Path,
    tasks: Sequence[str],
    control: Control = SILENT,
    count: int = 2,
    pauses_s: Sequence[float] = (0.1, 0.2),
) -> dict[str, TaskState]:
    """The states of the tasks after a run over them."""
    with journal(folder) as own:
        ledger = Ledger(own)
        todo = [Named(task) for task in tasks if ledger.begin(task, "content")]
        with Workers(partial(make, folder), count, lease_s=20) as workers:
            Dispatch(workers, ledger, control, pauses_s=pauses_s).run(todo)
        return {task: ledger.get(task) for task in tasks}


def test_each_is_done_once_and_what_can_not_be_is_set_aside(tmp_path: Path) -> None:
    good = [f"good-{n}" for n in range(8)]
    states = run(tmp_path, ["poison-1", "bad-1", "bug-1", "flaky-1", *good])
    for task in (*good, "flaky-1"):
        assert (states[task].state, states[task].text) == ("done", f"key of {task}")
        assert (tmp_path / task).read_text() == "done\n"
    assert states["bad-1"].state == "failed"
    assert states["bad-1"].text == "constant image"
    assert "KeyError" in states["bug-1"].text
    poison = states["poison-1"]
    assert (poison.state, poison.lost) == ("failed", 3)
    assert poison.text.startswith("excluded after 3 tries: its worker was killed (signal 9)")
    assert len((tmp_path / "poison-1.begun").read_text().split()) == 3


def test_the_next_run_does_what_is_left_and_nothing_again(tmp_path: Path) -> None:
    run(tmp_path, ["good-1", "bad-1"], count=1)
    run(tmp_path, ["good-1", "bad-1", "good-2"], count=1)
    assert (tmp_path / "good-1").read_text() == "done\n"
    assert (tmp_path / "bad-1.begun").read_text().count("\n") == 1
    assert (tmp_path / "good-2").read_text() == "done\n"


def test_another_content_is_another_task(tmp_path: Path) -> None:
    run(tmp_path, ["bad-1"], count=1)
    with journal(tmp_path) as own:
        again = Ledger(own).begin("bad-1", "mended")
    assert again == TaskState(of="mended", step=again.step if again else 0)


def test_a_full_disk_ends_the_run_after_some_patience(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="no space left"):
        run(tmp_path, ["full-1"], count=1)
    assert (tmp_path / "full-1.begun").read_text().count("\n") == 3
    with journal(tmp_path) as own:
        assert Ledger(own).get("full-1").state == "waiting"


class Scripted:
    """A pool whose events are set by the test; its tasks stay at work until then."""

    def __init__(self, count: int, events: Sequence[Sequence[Event[Named, Report]]]) -> None:
        self._count, self._events, self._given = count, deque(events), list[Named]()
        self.last: list[Finished[Named, Report]] = []

    @property
    def idle(self) -> int:
        return self._count - len(self._given)

    @property
    def busy(self) -> tuple[Named, ...]:
        return tuple(self._given)

    def give(self, task: Named) -> None:
        self._given.append(task)

    def events(self, wait_s: float) -> Iterator[Event[Named, Report]]:
        time.sleep(wait_s / 20)
        for event in self._events.popleft() if self._given else ():
            self._given.remove(event.task)
            yield event

    def stop(self) -> list[Finished[Named, Report]]:
        return self.last


FULL = Report("machine", "no space left")


def test_the_errors_of_several_workers_at_once_are_one_refusal(tmp_path: Path) -> None:
    tasks = [Named("a"), Named("b")]
    both = [Finished(task, FULL) for task in tasks]
    pool = Scripted(2, [both, [Finished(task, Report("done", "key")) for task in tasks]])
    with journal(tmp_path) as own:
        ledger = Ledger(own)
        Dispatch(pool, ledger, SILENT, pauses_s=(0.2,)).run(tasks)
        assert [ledger.get(task.id).state for task in tasks] == ["done", "done"]


def test_an_error_of_the_machine_while_a_run_stops_hides_nothing(tmp_path: Path) -> None:
    tasks = [Named("a"), Named("b")]
    pool = Scripted(2, [[]])
    pool.last = [Finished(tasks[0], FULL)]
    stops = iter([False, False, True])
    with journal(tmp_path) as own:
        ledger = Ledger(own)
        dispatch = Dispatch(pool, ledger, Control(stop_requested=lambda: next(stops)), pauses_s=())
        with pytest.raises(StoppedError):
            dispatch.run(tasks)
        assert [ledger.get(task.id).state for task in tasks] == ["waiting", "waiting"]
        assert [ledger.get(task.id).cut for task in tasks] == [0, 1]


def test_a_stop_puts_tasks_back(tmp_path: Path) -> None:
    begun = tmp_path / "long-1.begun"
    with pytest.raises(StoppedError):
        run(tmp_path, ["long-1"], Control(stop_requested=begun.exists), count=1)
    with journal(tmp_path) as own:
        state = Ledger(own).get("long-1")
    assert (state.state, state.cut, state.lost) == ("waiting", 1, 0)


def test_a_task_at_work_in_a_run_that_died_is_waiting(tmp_path: Path) -> None:
    with journal(tmp_path) as own:
        ledger = Ledger(own)
        ledger.begin("good-1", "content")
        ledger.put("good-1", replace(ledger.get("good-1"), state="working"))
    assert run(tmp_path, ["good-1"], count=1)["good-1"].cut == 1
    assert (tmp_path / "good-1").read_text() == "done\n"


def test_a_task_that_many_runs_ended_with_is_set_aside(tmp_path: Path) -> None:
    with journal(tmp_path) as own:
        ledger = Ledger(own)
        ledger.put("a", TaskState("working", cut=RUNS - 1, of="content"))
        assert ledger.begin("a", "content") is None
        assert ledger.get("a").text == f"excluded: {RUNS} runs ended while it was processed"


def test_the_latest_of_several_journals_holds(tmp_path: Path) -> None:
    with journal(tmp_path, "1-of-2") as first:
        Ledger(first).put("a", TaskState("working"))
    others = [journal(tmp_path, "1-of-2").load()]
    with journal(tmp_path, "1-of-3") as second:
        ledger = Ledger(second, others)
        assert ledger.get("a").state == "working"
        assert ledger.put("a", TaskState("done")).step == 2
        assert ledger.get("a").state == "done"
