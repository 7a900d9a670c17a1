"""Main loop of a worker process: it does one task after another, and reports to its parent.

It has its own session, so signals from a terminal or a batch system to a process group only reach
the parent. If the parent dies, it ends immediately.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import Final, TypeVar, cast

from gliomask.errors import GliomaskError, InputError, StoppedError, unexpected
from gliomask.jobs.control import Control
from gliomask.jobs.worker_events import Result, Task

Work = Callable[[Task, Control], Result]
"""What a worker does with a task. A ``StoppedError`` puts the task back; any other error that it
lets through is reported as the task's, and the worker continues."""

AnyError = TypeVar("AnyError", bound=Exception)

BEAT_S: Final = 2.0
"""Seconds between two heartbeats of a worker."""
STOP: Final = b"stop"
CANCEL: Final = b"cancel "
"""Followed by the number of the task, as the worker counts them: it may have ended meanwhile."""


@dataclass
class _Stop:
    """Stop request for a worker: for everything, or for the task with this number."""

    all: bool = False
    cancelled: int = 0
    _task: int = 0

    def begin(self) -> None:
        """Another task begins."""
        self._task += 1

    def is_due(self) -> bool:
        """Return True if the current task must stop."""
        return self.all or self.cancelled == self._task


@dataclass
class _Voice:
    """Sender of messages from a worker to its parent, for all threads."""

    channel: Connection
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, *message: object) -> None:
        """A parent that is gone is no error: ``_watch`` ends this process."""
        with self._lock, suppress(OSError):
            self.channel.send(message)


class TaskProgress:
    """The progress of a task as a share from 0 to 1, reported at most ten times a second.

    Args:
        report: takes the share and a note.
    """

    def __init__(self, report: Callable[[float, str], None]) -> None:
        self._report = report
        self._total, self._done, self._best, self._told = 1.0, 0.0, 0.0, 0.0

    def start(self, total: float, what: str) -> None:
        """See ``Progress``; a new stretch never reduces the share."""
        self._total, self._done = max(total, 1.0), 0.0

    def advance(self, steps: float = 1, note: str = "") -> None:
        """See ``Progress``."""
        self._done = min(self._done + steps, self._total)
        self._best = max(self._best, self._done / self._total)
        if time.monotonic() - self._told > 0.1:
            self._told = time.monotonic()
            self._report(self._best, note[:200])


def live(
    channel: Connection,
    lifeline: Connection,
    make: bytes,
    environment: Mapping[str, str],
) -> None:
    """The life of a worker process.

    Args:
        channel: receives tasks and sends results.
        lifeline: takes requests to stop; when it breaks, the parent is gone.
        make: pickled function that returns the work.
        environment: variables to set before anything is loaded.
    """
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.environ.update(environment)
    voice, stop = _Voice(channel), _Stop()
    threading.Thread(target=_watch, args=(lifeline, stop), daemon=True).start()
    threading.Thread(target=_beat, args=(voice,), daemon=True).start()
    try:
        work = pickle.loads(make)()  # noqa: S301 (from our own parent)
    except GliomaskError as problem:
        voice.say("broken", portable(problem))
        return
    voice.say("ready")
    while not stop.all:
        if channel.poll(0.1):
            stop.begin()
            _do(work, channel.recv(), voice, stop)


def _do(work: Work[Task, Result], task: Task, voice: _Voice, stop: _Stop) -> None:
    progress = TaskProgress(partial(voice.say, "advanced"))
    try:
        voice.say("finished", work(task, Control(progress, stop.is_due)))
    except StoppedError:
        if not stop.all:  # or the task is not reported, so it is put back
            voice.say("cancelled")
    except Exception as problem:
        voice.say("crashed", f"a bug in gliomask: {unexpected(problem)}")


def portable(problem: AnyError) -> AnyError | GliomaskError:
    """The error, or its text as one that can go between processes."""
    try:
        return cast(AnyError, pickle.loads(pickle.dumps(problem)))  # noqa: S301 (our own)
    except (TypeError, AttributeError, pickle.PicklingError):
        known = isinstance(problem, GliomaskError)
        return InputError(str(problem)) if known else GliomaskError(unexpected(problem))


def _watch(lifeline: Connection, stop: _Stop) -> None:
    """Takes requests to stop, and ends this process when its parent is no more."""
    with suppress(EOFError, OSError):
        while message := lifeline.recv_bytes(64):
            if message == STOP:
                stop.all = True
            elif message.startswith(CANCEL):
                stop.cancelled = int(message.removeprefix(CANCEL))
    os._exit(1)


def _beat(voice: _Voice) -> None:
    while True:
        voice.say("alive")
        time.sleep(BEAT_S)
