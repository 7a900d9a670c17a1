"""Tasks that a request waits for: done, lost with their worker, too slow, and without workers."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gliomask.jobs.worker_events import Advanced, Finished, Lost
from gliomask.web.errands import Errands
from gliomask.web.problems import Problem
from gliomask.web.task import Task, TaskResult

TASK = Task("a", Path("a"))


class Pool:
    """One worker, which takes a task and keeps it."""

    def __init__(self) -> None:
        self.idle, self.given = 1, threading.Event()

    def give(self, _task: Task) -> None:
        self.idle = 0
        self.given.set()


def waiting(errands: Errands, pool: Pool, threads: ThreadPoolExecutor) -> Future[TaskResult]:
    """A request whose task is at work."""
    future = threads.submit(errands.run, TASK, 30.0)
    while not pool.given.wait(0.01):
        errands.hand_out(pool)  # type: ignore[arg-type]
    return future


def status(future: Future[Any]) -> int:
    with pytest.raises(Problem) as problem:
        future.result(10)
    return problem.value.status_code


def test_the_answer_reaches_who_waits() -> None:
    errands, outcome = Errands(), TaskResult("done", result={"a": 1})
    with ThreadPoolExecutor(1) as threads:
        future = waiting(errands, Pool(), threads)
        assert not errands.take(Finished(Task("b", Path("b")), outcome))  # of the queue
        assert errands.take(Advanced(TASK, 0.5, ""))
        assert errands.take(Finished(TASK, outcome))
        assert future.result(10) == outcome
    assert not errands.take(Finished(TASK, outcome))


def test_a_lost_worker_and_a_stop_are_told() -> None:
    errands = Errands()
    with ThreadPoolExecutor(1) as threads:
        lost = waiting(errands, Pool(), threads)
        assert errands.take(Lost(TASK, "died"))
        assert status(lost) == 503
        stopped = waiting(errands, Pool(), threads)
        errands.give_up()
        assert status(stopped) == 503


def test_nobody_waits_for_ever() -> None:
    """And what comes of the task then is nobody's."""
    errands, pool = Errands(), Pool()
    with pytest.raises(Problem, match="too long"):
        errands.run(TASK, 0.01)
    errands.hand_out(pool)  # type: ignore[arg-type]
    assert pool.idle == 1
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(errands.run, TASK, 0.2)
        while not pool.given.wait(0.01):
            errands.hand_out(pool)  # type: ignore[arg-type]
        assert status(future) == 503
    assert errands.take(Finished(TASK, TaskResult("done")))
