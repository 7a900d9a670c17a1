"""State of the workers of a pool, whether they are processes or actors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gliomask.jobs.worker_events import Task


@dataclass(kw_only=True)
class WorkerState(Generic[Task]):
    """A worker.

    Attributes:
        last_response: time of its last message, on the monotonic clock in seconds.
        began: start time of its task.
        ready: whether it can take tasks.
        task: its task; None if it has none.
    """

    last_response: float = 0.0
    began: float = 0.0
    ready: bool = False
    task: Task | None = None


Worker = TypeVar("Worker", bound=WorkerState[Any])


def idle_workers(workers: Sequence[Worker]) -> list[Worker]:
    """Workers that wait for a task."""
    return [worker for worker in workers if worker.ready and worker.task is None]


def tasks_in_progress(workers: Sequence[WorkerState[Task]]) -> tuple[Task, ...]:
    """Tasks of the workers that have one."""
    return tuple(worker.task for worker in workers if worker.task is not None)


def assign(task: Task, workers: Sequence[Worker]) -> Worker:
    """The first idle worker, which has the task from now on.

    Raises:
        ValueError: no worker is idle.
    """
    worker = next(iter(idle_workers(workers)), None)
    if worker is None:
        raise ValueError("no worker is idle")
    worker.task = task
    worker.began = worker.last_response = time.monotonic()
    return worker
