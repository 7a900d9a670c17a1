"""The worker that runs as a Ray actor on a node of the cluster; this module does not import Ray."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Mapping
from typing import Generic, Literal

from gliomask.errors import GliomaskError, StoppedError, unexpected
from gliomask.jobs.control import Control
from gliomask.jobs.worker_events import Result, Task
from gliomask.jobs.worker_process import TaskProgress, Work, portable

Outcome = (
    tuple[Literal["finished"], Result]
    | tuple[Literal["crashed"], str]
    | tuple[Literal["stopped"], None]
)
"""Result of a task."""


class RayWorker(Generic[Task, Result]):
    """A worker; ``look`` and ``stop`` are called while ``do`` runs in another thread.

    Args:
        make: pickled function that returns the work, see ``Workers``.
        environment: variables to set before anything is loaded.
        lease_s: seconds without a call of ``look`` after which the run has replaced this worker, or
            has ended: the task is then stopped, so that nobody's files are written twice.
    """

    def __init__(self, make: bytes, environment: Mapping[str, str], lease_s: float) -> None:
        os.environ.update(environment)
        self._make, self._lease_s = make, lease_s
        self._last_look = time.monotonic()
        self._stop = threading.Event()
        self._progress = (0.0, "")

    def prepare(self) -> GliomaskError | None:
        """Loads the work; returns the error if that fails."""
        try:
            self._work: Work[Task, Result] = pickle.loads(self._make)()  # noqa: S301 (our own)
        except GliomaskError as problem:
            return portable(problem)
        return None

    def do(self, task: Task) -> Outcome[Result]:
        """Does a task."""
        self._progress, self._last_look = (0.0, ""), time.monotonic()
        progress = TaskProgress(self._note)
        try:
            return "finished", self._work(task, Control(progress, self._must_stop))
        except StoppedError:
            return "stopped", None
        except Exception as problem:
            return "crashed", f"a bug in gliomask: {unexpected(problem)}"

    def look(self) -> tuple[float, str]:
        """Progress of the current task; also shows that the worker responds."""
        if not self._has_expired():  # calls that waited while it was suspended don't renew it
            self._last_look = time.monotonic()
        return self._progress

    def stop(self) -> None:
        """Stops the current task."""
        self._stop.set()

    def _must_stop(self) -> bool:
        return self._stop.is_set() or self._has_expired()

    def _has_expired(self) -> bool:
        return time.monotonic() - self._last_look > self._lease_s

    def _note(self, share: float, note: str) -> None:
        self._progress = (share, note)
