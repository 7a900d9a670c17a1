"""Events that workers report, and the interface of a pool of workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Finished(Generic[Task, Result]):
    """A task is done."""

    task: Task
    result: Result


@dataclass(frozen=True)
class Crashed(Generic[Task]):
    """A task raised an unexpected error; its worker continues."""

    task: Task
    reason: str


@dataclass(frozen=True)
class Lost(Generic[Task]):
    """The worker of a task died or froze; another has taken its place."""

    task: Task
    reason: str


@dataclass(frozen=True)
class Cancelled(Generic[Task]):
    """A task has stopped as requested; its worker continues."""

    task: Task


@dataclass(frozen=True)
class Advanced(Generic[Task]):
    """A task is so far, from 0 to 1."""

    task: Task
    share: float
    note: str


Event = Finished[Task, Result] | Crashed[Task] | Lost[Task] | Cancelled[Task] | Advanced[Task]


class Pool(Protocol[Task, Result]):
    """Workers of any kind; each does one task at a time."""

    @property
    def idle(self) -> int:
        """Number of workers that wait for a task."""

    @property
    def busy(self) -> tuple[Task, ...]:
        """Tasks in progress."""

    def give(self, task: Task) -> None:
        """Hands a task to an idle worker."""

    def events(self, wait_s: float) -> Iterator[Event[Task, Result]]:
        """Events since the last call, with a maximal time to wait for the next one."""

    def stop(self) -> list[Finished[Task, Result]]:
        """Stops all workers; returns the tasks that were finished nevertheless."""
