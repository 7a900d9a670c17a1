"""Events of a task in a worker process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

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
