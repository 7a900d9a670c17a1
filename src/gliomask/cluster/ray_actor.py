"""The worker that runs as a Ray actor on a node of the cluster; this module does not import Ray."""

from __future__ import annotations

import os
import pickle
import threading
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
    """

    def __init__(self, make: bytes, environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        self._make = make
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
        self._progress = (0.0, "")
        progress = TaskProgress(self._note)
        try:
            return "finished", self._work(task, Control(progress, self._stop.is_set))
        except StoppedError:
            return "stopped", None
        except Exception as problem:
            return "crashed", f"a bug in gliomask: {unexpected(problem)}"

    def look(self) -> tuple[float, str]:
        """Progress of the current task; also shows that the worker responds."""
        return self._progress

    def stop(self) -> None:
        """Stops the current task."""
        self._stop.set()

    def _note(self, share: float, note: str) -> None:
        self._progress = (share, note)
