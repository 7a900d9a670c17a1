"""Common part of pools of workers: start, assignment of tasks, and replacement of lost workers."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, Self, TypeVar

from gliomask.errors import MachineError
from gliomask.jobs.worker_events import Event, Lost, Result, Task

LEASE_S: Final = 300.0
"""Seconds without a sign of life after which a worker counts as frozen and is killed: a library
that computes for long may keep every thread of a process waiting."""
PATIENCE_S: Final = 15.0
"""Seconds that workers get to stop."""
_STARTS: Final = 3
"""Number of workers in a row that may die before they are ready."""


@dataclass(kw_only=True)
class WorkerState(Generic[Task]):
    """A worker.

    Attributes:
        last_response: time of its last message, on the monotonic clock in seconds.
        began: start time of its task.
        ready: whether it can take tasks.
        task: its task; None if it has none.
    """

    last_response: float
    began: float = 0.0
    ready: bool = False
    task: Task | None = None


Worker = TypeVar("Worker", bound=WorkerState[Any])


class WorkerPool(ABC, Generic[Task, Result, Worker]):
    """A number of workers, processes or actors; use it as a context.

    Args:
        name: name of the workers in errors.
        count: number of workers.
        lease_s: see ``LEASE_S``.
        limit_s: seconds that one task may take.
    """

    def __init__(self, name: str, count: int, *, lease_s: float, limit_s: float) -> None:
        self._name, self._count, self._starts = name, count, 0
        self._lease_s, self._limit_s = lease_s, limit_s
        self._workers: list[Worker] = []

    def __enter__(self) -> Self:
        self._workers = [self._start() for _ in range(self._count)]
        return self

    @property
    def idle(self) -> int:
        """Number of workers that wait for a task."""
        return len(self._idle())

    @property
    def busy(self) -> tuple[Task, ...]:
        """Tasks in progress."""
        return tuple(worker.task for worker in self._workers if worker.task is not None)

    @abstractmethod
    def _start(self) -> Worker:
        """Start a worker."""

    @abstractmethod
    def _kill(self, worker: Worker) -> None:
        """End a worker immediately."""

    def _idle(self) -> list[Worker]:
        return [worker for worker in self._workers if worker.ready and worker.task is None]

    def _assign(self, task: Task) -> Worker:
        """The first idle worker, which has the task from now on.

        Raises:
            ValueError: no worker is idle.
        """
        worker = next(iter(self._idle()), None)
        if worker is None:
            raise ValueError("no worker is idle")
        worker.task = task
        worker.began = worker.last_response = time.monotonic()
        return worker

    def _make_ready(self, worker: Worker) -> None:
        worker.ready, self._starts = True, 0

    def _replace_overdue(self) -> Iterator[Event[Task, Result]]:
        """Replace workers that do not respond, or whose task takes too long."""
        now = time.monotonic()
        for worker in list(self._workers):
            if now - worker.last_response > self._lease_s:
                yield from self._replace(worker, f"did not respond for {self._lease_s:g} s")
            elif worker.task is not None and now - worker.began > self._limit_s:
                yield from self._replace(worker, f"took longer than {self._limit_s / 60:g} min")

    def _replace(self, worker: Worker, why: str) -> Iterator[Event[Task, Result]]:
        """Replace a dead or frozen worker.

        Raises:
            MachineError: several workers died in a row before they were ready.
        """
        task = worker.task
        if not worker.ready:
            self._starts += 1
            if self._starts >= _STARTS:
                raise MachineError(f"{self._name} can't be started: the last {why}")
        self._kill(worker)
        self._workers[self._workers.index(worker)] = self._start()
        if task is not None:
            yield Lost(task, why)
