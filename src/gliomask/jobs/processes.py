"""Independent jobs in several processes, with progress and cancellation."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from typing import TypeVar

from gliomask.errors import MachineError, option
from gliomask.jobs.control import POLL_S, SILENT, Control, Progress

Job = TypeVar("Job")
Result = TypeVar("Result")


def spread(
    work: Callable[[Job, Control], Result],
    jobs: Sequence[Job],
    control: Control = SILENT,
    workers: int = 1,
) -> Iterator[Result]:
    """Run all jobs and yield each result when it is ready, in any order.

    Args:
        work: a function at the top of a module (or a ``partial`` of one); what it raises ends all.
            Jobs and results go between processes, so they are small and can be pickled.
        jobs: independent of each other; each is a step of the present stretch.
        control: reports the jobs, and within them what ``work`` reports; a stop reaches ``work``.
        workers: processes. One worker, or one job, needs no separate process.

    Raises:
        StoppedError: a stop was requested; every job has ended.
        MachineError: a worker process was killed.
    """
    workers = min(workers, len(jobs))
    if workers > 1:
        yield from _in_processes(work, jobs, control, workers)
        return
    for job in jobs:
        with control.part() as part:
            result = work(job, part)
        yield result


def _in_processes(
    work: Callable[[Job, Control], Result], jobs: Sequence[Job], control: Control, workers: int
) -> Iterator[Result]:
    # A new interpreter for each: forking a process with threads may deadlock.
    context = get_context("spawn")
    line = _Line(context.Event(), context.SimpleQueue())
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin, initargs=(line,)
    ) as pool:
        running: set[Future[Result]] = {pool.submit(_do, work, job) for job in jobs}
        try:
            while running:
                ended, running = wait(running, POLL_S, FIRST_COMPLETED)
                line.report(control.progress)
                for future in ended:
                    yield future.result()
                control.check()
        except BrokenProcessPool:
            control.check()  # the signal that stops us may have gone to all processes
            raise MachineError(
                "a worker process was killed, probably because memory ran out",
                hint=f"use fewer processes, {option('workers', 1)}; completed work is kept",
            ) from None
        finally:
            line.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(future.done() for future in running):
                line.report(SILENT.progress)  # or a worker would wait for that
                time.sleep(POLL_S / 10)


@dataclass(frozen=True)
class _Line:
    """Connection between a process and its workers.

    Attributes:
        stop: set when the workers are to stop.
        reports: (steps, note) of what they have done.
    """

    stop: Event
    reports: SimpleQueue[tuple[float, str]]

    def report(self, progress: Progress) -> None:
        """Passes on what the workers have reported."""
        while not self.reports.empty():
            progress.advance(*self.reports.get())

    def start(self, total: float, what: str) -> None:
        """See ``Progress``; a worker's stretches are parts of one that has begun."""

    def advance(self, steps: float = 1, note: str = "") -> None:
        """See ``Progress``, in a worker."""
        self.reports.put((steps, note))


_to_parent: list[_Line] = []
"""In a worker process: the line to the process that began it."""


def _begin(line: _Line) -> None:
    """Begins a worker. Ctrl-C reaches every process of a terminal; the first one decides."""
    _to_parent.append(line)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _do(work: Callable[[Job, Control], Result], job: Job) -> Result:
    line = _to_parent[0]
    with Control(line, line.stop.is_set).part() as part:
        return work(job, part)
