"""Pool of persistent worker processes, which are initialised once.

A worker has one task at a time, so a process that dies or freezes only affects this task, which is
then known; another process replaces it.
"""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import cast

from gliomask.jobs.fork_server import worker_context
from gliomask.jobs.worker_events import (
    Advanced,
    Cancelled,
    Crashed,
    Event,
    Finished,
    Result,
    Task,
)
from gliomask.jobs.worker_pool import LEASE_S, PATIENCE_S, WorkerPool, WorkerState
from gliomask.jobs.worker_process import CANCEL, STOP, Work, live


@dataclass
class _Worker(WorkerState[Task]):
    process: BaseProcess
    channel: Connection
    lifeline: Connection
    count: int = 0


class Workers(WorkerPool[Task, Result, _Worker[Task]]):
    """A number of worker processes; use it as a context.

    Args:
        make: called once in each worker, returns its work; a function at the top of a module, or a
            ``partial`` of one. An error of ours in it ends all.
        count: of processes.
        environment: variables to set in the workers before anything is loaded.
        lease_s: see ``LEASE_S``.
        limit_s: seconds that one task may take.
        preload: modules that are imported once for all workers, see ``jobs.fork_server``.
    """

    def __init__(
        self,
        make: Callable[[], Work[Task, Result]],
        count: int,
        environment: Mapping[str, str] | None = None,
        *,
        lease_s: float = LEASE_S,
        limit_s: float = 3600.0,
        preload: Sequence[str] = (),
    ) -> None:
        super().__init__("worker processes", count, lease_s=lease_s, limit_s=limit_s)
        self._make, self._environment = pickle.dumps(make), dict(environment or {})
        self._context = worker_context(preload)

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        idle = self._idle()
        for worker in idle:  # they end in good order, with all that they started
            with suppress(OSError):
                worker.lifeline.send_bytes(STOP)
        for worker in idle:
            worker.process.join(PATIENCE_S)
        for worker in self._workers:
            self._kill(worker)
        self._workers = []

    def give(self, task: Task) -> None:
        """Hands a task to an idle worker; it is small, for the worker may be dead.

        Raises:
            ValueError: no worker is idle.
        """
        worker = self._assign(task)
        worker.count += 1
        with suppress(OSError):  # a dead worker is detected by the next poll
            worker.channel.send(task)

    def events(self, wait_s: float) -> Iterator[Event[Task, Result]]:
        """Events since the last call, with a maximal time to wait for the next one.

        Raises:
            MachineError, ModelError, ...: workers can't be made ready.
        """
        doors = {process.channel: process for process in self._workers}
        for door in wait(list(doors), wait_s):
            yield from self._receive(doors[cast(Connection, door)])
        yield from self._replace_overdue()

    def cancel(self, task: Task) -> None:
        """Requests the end of a running task; ``Cancelled`` reports that it has stopped."""
        for worker in self._workers:
            if worker.task == task:
                with suppress(OSError):
                    worker.lifeline.send_bytes(CANCEL + str(worker.count).encode())

    def kill(self, task: Task) -> None:
        """Ends the worker of a task at work, whatever it does: ``Lost`` follows."""
        for worker in self._workers:
            if worker.task == task and worker.process.pid is not None:
                worker.process.kill()

    def stop(self) -> list[Finished[Task, Result]]:
        """Asks the workers to put their tasks back, and waits until they have ended.

        Returns:
            the tasks that were done all the same.
        """
        for worker in self._workers:
            with suppress(OSError):
                worker.lifeline.send_bytes(STOP)
        done: list[Finished[Task, Result]] = []
        left = {process.channel: process for process in self._workers}
        end = time.monotonic() + PATIENCE_S
        while left and (rest := end - time.monotonic()) > 0:
            for channel in wait(list(left), rest):
                worker = left[cast(Connection, channel)]
                try:
                    kind, *content = worker.channel.recv()
                except (EOFError, OSError):
                    del left[worker.channel]
                    continue
                if kind == "finished" and worker.task is not None:
                    done.append(Finished(worker.task, content[0]))
        return done

    def _receive(self, worker: _Worker[Task]) -> Iterator[Event[Task, Result]]:
        try:
            kind, *content = worker.channel.recv()
        except (EOFError, OSError):
            worker.process.join(PATIENCE_S)
            yield from self._replace(worker, _ending(worker.process.exitcode))
            return
        worker.last_response = time.monotonic()
        task = worker.task
        match kind:
            case "ready":
                self._make_ready(worker)
            case "broken":
                raise content[0]
            case "advanced" if task is not None:
                yield Advanced(task, *content)
            case "finished" if task is not None:
                worker.task = None
                yield Finished(task, content[0])
            case "crashed" if task is not None:
                worker.task = None
                yield Crashed(task, content[0])
            case "cancelled" if task is not None:
                worker.task = None
                yield Cancelled(task)

    def _start(self) -> _Worker[Task]:
        channel, child_channel = self._context.Pipe()
        lifeline_theirs, lifeline = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=live,
            args=(child_channel, lifeline_theirs, self._make, self._environment),
            daemon=False,
        )
        process.start()
        child_channel.close()
        lifeline_theirs.close()
        return _Worker(process, channel, lifeline, last_response=time.monotonic())

    def _kill(self, worker: _Worker[Task]) -> None:
        """End a worker and its child processes, also a stopped one."""
        pid = worker.process.pid
        if pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # it may not have its own group yet
        worker.process.kill()
        worker.process.join()
        worker.channel.close()
        worker.lifeline.close()


def _ending(code: int | None) -> str:
    if code == -signal.SIGKILL:
        return "was killed (signal 9), probably because memory ran out"
    if code is not None and code < 0:
        return f"was ended by signal {-code}"
    return f"ended with code {code}"
