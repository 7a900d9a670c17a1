"""Distribution of tasks to workers, with retries after crashes and resumption by later runs.

The state of a task is in a journal that only this process writes, so no locks and no clocks are
needed. A task that crashes its worker is retried after all others, and excluded after three
crashes; a task whose complete run ended is excluded later, because runs are usually ended from
outside.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Generic, Literal, Protocol, TypeVar

from gliomask.errors import MachineError
from gliomask.jobs.control import Control
from gliomask.jobs.journal import Journal
from gliomask.jobs.worker_events import Advanced, Crashed, Event, Finished, Lost, Pool

TRIES: Final = 3
"""Number of crashed workers after which a task is excluded."""
RUNS: Final = 10
"""Number of runs that may end during a task before it is excluded."""
PAUSES_S: Final = (1.0, 5.0, 20.0)
"""Before a task is tried again that the machine could not do (a full disk, a stale file handle);
a longer row of such errors ends the run."""


class Task(Protocol):
    """A task.

    Attributes:
        id: unique, and the same in every run.
    """

    @property
    def id(self) -> str: ...


AnyTask = TypeVar("AnyTask", bound=Task)


@dataclass(frozen=True)
class Report:
    """Message of a worker about a task.

    Attributes:
        end: ``done``; ``failed``, for good; or the machine could not do it (``machine``).
        text: the result's key, or the reason.
    """

    end: Literal["done", "failed", "machine"]
    text: str


@dataclass(frozen=True)
class TaskState:
    """State of a task.

    Attributes:
        state: its state.
        lost: workers that it has cost.
        cut: runs that ended with it at work.
        text: the result's key once it is done, the reason if it failed.
        of: digest of its input; a task with another input is another task.
        step: counts the changes, so that the latest of several journals is known.
    """

    state: Literal["waiting", "working", "done", "failed"] = "waiting"
    lost: int = 0
    cut: int = 0
    text: str = ""
    of: str = ""
    step: int = 0


class Ledger:
    """The states of tasks.

    Args:
        journal: of this run, entered.
        others: journals of other runs over the same tasks, loaded.
    """

    def __init__(
        self, journal: Journal[TaskState], others: Sequence[Journal[TaskState]] = ()
    ) -> None:
        self._journal, self._others = journal, others

    def get(self, task: str) -> TaskState:
        """The latest state; waiting for a task that was not started."""
        return latest((self._journal, *self._others), task)

    def put(self, task: str, state: TaskState) -> TaskState:
        """Writes a new state down."""
        counted = replace(state, step=self.get(task).step + 1)
        self._journal.add(task, counted)
        return counted

    def begin(
        self, task: str, of: str, *, finished: bool = True, retry: bool = False
    ) -> TaskState | None:
        """The state of a task at the beginning of a run; None if there is nothing to do.

        One that an earlier run had at work counts that, and is set aside if it happens often.

        Args:
            task: its id.
            of: digest of its input.
            finished: whether its result is still there.
            retry: whether a failed one is tried again.
        """
        now = self.get(task)
        lost = now.state == "done" and not finished
        if now.of != of or lost or (now.state == "failed" and retry):
            return self.put(task, TaskState(of=of, step=now.step))
        if now.state == "working":
            now = self.put(task, replace(now, state="waiting", cut=now.cut + 1))
        if now.cut >= RUNS and now.state == "waiting":
            text = f"excluded: {RUNS} runs ended while it was processed"
            self.put(task, replace(now, state="failed", text=text))
            return None
        return now if now.state == "waiting" else None


class Dispatch(Generic[AnyTask]):
    """One run over tasks.

    Args:
        workers: entered.
        ledger: of the tasks; each has begun (``Ledger.begin``).
        control: receives the progress of each task, and may stop the run.
        tries: workers that a task may cost.
        pauses_s: see ``PAUSES_S``.
    """

    def __init__(
        self,
        workers: Pool[AnyTask, Report],
        ledger: Ledger,
        control: Control,
        *,
        tries: int = TRIES,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        self._workers, self._ledger, self._control = workers, ledger, control
        self._tries, self._pauses_s = tries, tuple(pauses_s)
        self._waiting: deque[AnyTask] = deque()
        self._shares: dict[str, float] = {}
        self._not_before, self._refusals = 0.0, 0

    def run(self, tasks: Sequence[AnyTask]) -> None:
        """Does the tasks.

        Raises:
            MachineError: the machine can't go on; StoppedError: a stop was requested. What is done
                stays done, tasks at work are put back.
        """
        self._waiting.extend(tasks)
        self._control.start(len(tasks), "segmenting")
        try:
            while self._waiting or self._workers.busy:
                self._control.check()
                self._hand_out()
                for event in self._workers.events(0.2):
                    self._take(event)
        except BaseException:
            self._put_back()
            raise

    def _hand_out(self) -> None:
        while self._waiting and self._workers.idle and time.monotonic() >= self._not_before:
            task = self._waiting.popleft()
            self._ledger.put(task.id, replace(self._ledger.get(task.id), state="working"))
            self._workers.give(task)

    def _take(self, event: Event[AnyTask, Report]) -> None:
        match event:
            case Advanced(task, share, note):
                self._advance(task.id, share, f"{task.id}: {note}" if note else task.id)
            case Finished(task, Report("machine", reason)):
                self._refused(task, reason)
            case Finished(task, Report("done", text)):
                self._refusals = 0
                self._end(task, "done", text)
            case Finished(task, report):
                self._end(task, "failed", report.text)
            case Crashed(task, reason):
                self._end(task, "failed", reason)
            case Lost(task, reason):
                self._lost(task, reason)

    def _end(self, task: AnyTask, state: Literal["done", "failed"], text: str) -> None:
        self._ledger.put(task.id, replace(self._ledger.get(task.id), state=state, text=text))
        self._advance(task.id, 1.0, task.id)

    def _lost(self, task: AnyTask, reason: str) -> None:
        now = self._ledger.get(task.id)
        now = self._ledger.put(task.id, replace(now, state="waiting", lost=now.lost + 1))
        if now.lost < self._tries:
            self._waiting.append(task)
            return
        self._end(task, "failed", f"excluded after {now.lost} tries: its worker {reason}")

    def _refused(self, task: AnyTask, reason: str) -> None:
        """Handle an error of the machine: all tasks wait a little, or the run ends."""
        self._ledger.put(task.id, replace(self._ledger.get(task.id), state="waiting"))
        self._waiting.appendleft(task)
        if time.monotonic() < self._not_before:  # others fail for the same reason meanwhile
            return
        if self._refusals == len(self._pauses_s):
            raise MachineError(reason)
        self._not_before = time.monotonic() + self._pauses_s[self._refusals]
        self._refusals += 1

    def _advance(self, task: str, share: float, note: str) -> None:
        """Progress never raises here: a task is not lost to a stop between two lines."""
        more = share - self._shares.get(task, 0.0)
        if more > 0:
            self._shares[task] = share
            self._control.progress.advance(more, note)

    def _put_back(self) -> None:
        for event in self._workers.stop():
            with suppress(MachineError):  # the run ends already, for the reason that it has
                self._take(event)
        for task in self._workers.busy:
            now = self._ledger.get(task.id)
            if now.state == "working":
                self._ledger.put(task.id, replace(now, state="waiting", cut=now.cut + 1))


def latest(journals: Sequence[Journal[TaskState]], task: str) -> TaskState:
    """The latest state that journals have of a task; a waiting one if none has it."""
    states = [state for journal in journals if (state := journal.get(task))]
    return max(states, key=lambda state: state.step, default=TaskState())
