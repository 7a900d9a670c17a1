"""Independent jobs over several processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from gliomask.errors import MachineError

Job = TypeVar("Job")
Result = TypeVar("Result")


def spread(
    work: Callable[[Job], Result], jobs: Sequence[Job], workers: int | None = None
) -> Iterator[Result]:
    """Does every job and gives each result when it is there, in no certain order.

    Args:
        work: a function at the top of a module (or a ``partial`` of one); what it raises ends all.
            Jobs and results go between processes, so they are small and can be pickled.
        jobs: independent of each other.
        workers: processes; as many as there are processors if it is not given. One worker, or one
            job, needs no process of its own.

    Raises:
        MachineError: a worker process was killed.
    """
    workers = min(workers or os.cpu_count() or 1, len(jobs))
    if workers <= 1:
        yield from map(work, jobs)
        return
    # A fresh interpreter each: forking a process that runs threads may hang.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_signals) as pool:
        waiting = [pool.submit(work, job) for job in jobs]
        try:
            for future in as_completed(waiting):
                yield future.result()
        except BrokenProcessPool:
            raise MachineError(
                "a worker process was killed, probably for want of memory",
                hint="run again with fewer --workers; what is done is kept",
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _leave_signals() -> None:
    """Ctrl-C reaches every process of a terminal; the first one decides what is left undone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
