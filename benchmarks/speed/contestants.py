"""Contestants in separate processes that take turns.

A process each, because two things belong to a process as a whole: how the C library treats freed
memory, and the threads of a runtime. Between turns a contestant waits and takes no time.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from benchmarks.harness import Timing, timed

Work = Callable[..., Any]
_REST_S = 0.02
"""Before each turn: threads of the one before spin for some milliseconds after their work."""


class ContestantError(Exception):
    """A contestant can't start or has failed; the text says why."""


@dataclass(frozen=True)
class Contestant:
    """A contestant.

    Attributes:
        make: called in the new process: gives the function that does a turn. It can be pickled.
        keeps_memory: whether freed memory stays with its process (``machine.allocator``).
    """

    make: Callable[[], Work]
    keeps_memory: bool = False


class Worker:
    """The process of one contestant.

    Raises:
        ContestantError: it can't start.
    """

    def __init__(self, contestant: Contestant) -> None:
        context = get_context("spawn")
        self._connection, remote = context.Pipe()
        self._process = context.Process(target=_serve, args=(remote, contestant), daemon=True)
        self._process.start()
        remote.close()
        try:
            self._answer()
        except ContestantError:
            self.close()
            raise

    def turn(self, *args: Any) -> tuple[Timing, Any]:
        """One turn: what it took, and what it gave.

        Raises:
            ContestantError: it failed.
        """
        self._connection.send(args)
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
        self._connection.close()
        self._process.join(timeout=10)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()

    def _answer(self) -> tuple[Timing, Any]:
        try:
            failure, timing, result = self._connection.recv()
        except EOFError:
            raise ContestantError("its process ended") from None
        if failure:
            raise ContestantError(failure)
        return timing, result


class Field:
    """All contestants that could start, for the time of a ``with``.

    Attributes:
        workers: by name.
        absent: name -> why it does not take part.
    """

    def __init__(self, contestants: Mapping[str, Contestant]) -> None:
        self.workers: dict[str, Worker] = {}
        self.absent: dict[str, str] = {}
        self._contestants = contestants

    def __enter__(self) -> Self:
        for name, contestant in self._contestants.items():
            try:
                self.workers[name] = Worker(contestant)
            except ContestantError as problem:
                self.absent[name] = str(problem)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self.workers.values():
            worker.close()


def _serve(connection: Connection, contestant: Contestant) -> None:
    """The life of a contestant's process."""
    os.dup2(2, 1)  # some libraries print, and what is printed here is the parent's table
    started = False
    try:
        if contestant.keeps_memory:
            from gliomask.machine.allocator import keep_freed_memory

            keep_freed_memory()
        work = contestant.make()
        connection.send((None, None, None))
        started = True
        while True:
            args = connection.recv()
            time.sleep(_REST_S)
            result, timing = timed(partial(work, *args))
            connection.send((None, timing, result))
    except EOFError:
        return
    except Exception as problem:
        if started:  # the reason for not starting becomes a note
            traceback.print_exc()
        connection.send((f"{type(problem).__name__}: {problem}", None, None))
