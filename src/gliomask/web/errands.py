"""Short tasks of workers that a request waits for; they are not queued and do not survive a
restart."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedEnough

from gliomask.jobs.worker_events import Advanced, Cancelled, Crashed, Event, Finished, Lost
from gliomask.jobs.workers import Workers
from gliomask.web.problems import Problem
from gliomask.web.task import Task, TaskResult


class Errands:
    """Tasks between the requests that wait for them and the supervisor that has them done."""

    def __init__(self) -> None:
        self._waiting: deque[Task] = deque()
        self._futures: dict[str, Future[TaskResult]] = {}
        self._at_work: set[str] = set()

    def run(self, task: Task, seconds: float) -> TaskResult:
        """Wait until a task is done.

        Raises:
            Problem: it took longer, or cost its worker.
        """
        future: Future[TaskResult] = Future()
        self._futures[task.id] = future
        self._waiting.append(task)
        try:
            return future.result(seconds)
        except WaitedEnough:
            raise Problem(503, "it took too long: try again later", retry_s=60) from None
        finally:
            self._futures.pop(task.id, None)

    def hand_out(self, pool: Workers[Task, TaskResult]) -> None:
        """Assign tasks to idle workers."""
        while pool.idle and self._waiting:
            task = self._waiting.popleft()
            if task.id in self._futures:
                self._at_work.add(task.id)
                pool.give(task)

    def take(self, event: Event[Task, TaskResult]) -> bool:
        """Handle an event; True if it belongs to one of these tasks."""
        if event.task.id not in self._at_work:
            return False
        if isinstance(event, Advanced):
            return True
        self._at_work.discard(event.task.id)
        future = self._futures.get(event.task.id)  # None: the request has ended
        match event:
            case Finished(_, outcome) if future is not None:
                _settle(future, outcome)
            case Lost() | Crashed() | Cancelled() if future is not None:
                _settle(future, Problem(503, "a worker failed: try again", retry_s=10))
        return True

    def give_up(self) -> None:
        """Fail all tasks, because the workers have ended."""
        self._at_work.clear()
        self._waiting.clear()
        for future in list(self._futures.values()):
            _settle(future, Problem(503, "the workers have ended: try again", retry_s=10))


def _settle(future: Future[TaskResult], outcome: TaskResult | Problem) -> None:
    if future.done():
        return
    if isinstance(outcome, Problem):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
