"""Workers as Ray actors, with the same events as worker processes of this machine.

Ray itself neither retries a task nor restarts an actor: lost workers are counted in one place, by
the run that writes the journal. An actor that does not respond, or whose task takes too long, is
killed. If its node is disconnected, or if it was suspended, it stops by itself at the next check of
its control. What it may still have finished is byte-identical, and each file is renamed into place
as a whole.
"""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

from gliomask.cluster.ray_actor import RayWorker
from gliomask.jobs.worker_events import (
    Advanced,
    Crashed,
    Event,
    Finished,
    Result,
    Task,
)
from gliomask.jobs.worker_pool import LEASE_S, PATIENCE_S, WorkerPool, WorkerState
from gliomask.jobs.worker_process import Work

_LOOK_S: Final = 1.0
"""Seconds between two calls of ``look``."""
_OWN_LEASE: Final = 0.8
"""Share of the lease after which an actor stops its task itself: before its replacement starts."""
_THREADS: Final = 3
"""Threads of an actor: for its task, for ``look`` and for ``stop``."""


@dataclass
class _Worker(WorkerState[Task]):
    """An actor.

    Attributes:
        handle: handle of the actor.
        answer: pending result of ``prepare``, later of ``do``; None if the actor is idle.
        look: pending result of ``look``; None if there is none.
    """

    handle: Any
    answer: Any
    look: Any = None


@dataclass(frozen=True)
class ActorKind:
    """Surroundings of an actor.

    Attributes:
        cpus: processors that Ray reserves for it.
        gpus: GPUs that Ray reserves for it.
        environment: variables to set before anything is loaded.
    """

    cpus: float = 1.0
    gpus: float = 0.0
    environment: Mapping[str, str] = field(default_factory=dict)


class RayWorkers(WorkerPool[Task, Result, _Worker[Task]]):
    """Pool of Ray actors, to be used as a context manager.

    Args:
        ray: the connected module (see ``ray_cluster``).
        make, count, lease_s, limit_s: see ``Workers``.
        kind: resources and environment of each actor.
    """

    def __init__(
        self,
        ray: Any,
        make: Callable[[], Work[Task, Result]],
        count: int,
        kind: ActorKind,
        *,
        lease_s: float = LEASE_S,
        limit_s: float = 3600.0,
    ) -> None:
        super().__init__("Ray's workers", count, lease_s=lease_s, limit_s=limit_s)
        self._ray, self._make = ray, pickle.dumps(make)
        self._environment = dict(kind.environment)
        self._class = ray.remote(
            num_cpus=kind.cpus,
            num_gpus=kind.gpus,
            max_restarts=0,
            max_task_retries=0,
            max_concurrency=_THREADS,
        )(RayWorker)

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            self._kill(worker)
        self._workers = []

    def give(self, task: Task) -> None:
        """See ``Pool``.

        Raises:
            ValueError: no worker is idle.
        """
        worker = self._assign(task)
        worker.answer = worker.handle.do.remote(task)

    def events(self, wait_s: float) -> Iterator[Event[Task, Result]]:
        """See ``Pool``.

        Raises:
            MachineError, ModelError, ...: workers can't be made ready.
        """
        for worker, due in self._answered(wait_s):
            if worker in self._workers:  # otherwise it was replaced after its other result
                yield from self._receive(worker, due)
        yield from self._replace_overdue()
        now = time.monotonic()
        for worker in self._workers:
            if worker.ready and worker.look is None and now - worker.last_response > _LOOK_S:
                worker.look = worker.handle.look.remote()

    def stop(self) -> list[Finished[Task, Result]]:
        """See ``Pool``."""
        at_work = {actor.answer: actor for actor in self._workers if actor.task is not None}
        for worker in at_work.values():
            worker.handle.stop.remote()
        done: list[Finished[Task, Result]] = []
        if not at_work:
            return done
        ended, _ = self._ray.wait(
            list(at_work), num_returns=len(at_work), timeout=PATIENCE_S, fetch_local=False
        )
        for due in ended:
            worker = at_work[due]
            with suppress(self._ray.exceptions.RayError):
                kind, content = self._ray.get(due)
                if kind == "finished" and worker.task is not None:
                    done.append(Finished(worker.task, content))
        return done

    def _answered(self, wait_s: float) -> list[tuple[_Worker[Task], Any]]:
        """Workers with the results that have arrived."""
        due = {
            result: worker
            for worker in self._workers
            for result in (worker.answer, worker.look)
            if result is not None
        }
        if not due:
            time.sleep(wait_s)
            return []
        self._ray.wait(list(due), num_returns=1, timeout=wait_s)
        came, _ = self._ray.wait(list(due), num_returns=len(due), timeout=0)
        return [(due[result], result) for result in came]

    def _receive(self, worker: _Worker[Task], due: Any) -> Iterator[Event[Task, Result]]:
        try:
            answer = self._ray.get(due)
        except self._ray.exceptions.RayError as problem:
            full = isinstance(problem, self._ray.exceptions.OutOfMemoryError)
            why = "was killed because memory ran out on its node" if full else _ending(problem)
            yield from self._replace(worker, why)
            return
        worker.last_response = time.monotonic()
        if due is worker.look:
            worker.look = None
            if worker.task is not None:
                yield Advanced(worker.task, *answer)
            return
        worker.answer = None
        if not worker.ready:
            if answer is not None:
                raise answer
            self._make_ready(worker)
            return
        if answer[0] == "stopped":
            yield from self._replace(worker, "stopped, because this run was silent for too long")
            return
        task, worker.task = worker.task, None
        match answer:
            case ("finished", result) if task is not None:
                yield Finished(task, result)
            case ("crashed", reason) if task is not None:
                yield Crashed(task, reason)

    def _start(self) -> _Worker[Task]:
        handle = self._class.remote(self._make, self._environment, _OWN_LEASE * self._lease_s)
        # An actor may wait for resources: its lease begins with its first message.
        return _Worker(handle, handle.prepare.remote(), last_response=math.inf)

    def _kill(self, worker: _Worker[Task]) -> None:
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(worker.handle, no_restart=True)


def _ending(problem: Exception) -> str:
    """Short reason for the end of an actor, from Ray's long message."""
    text = str(problem).lower()
    if "node has died" in text or "node died" in text or "node was terminated" in text:
        return "was lost with its node"
    return "died (it was killed, or a library crashed)"
