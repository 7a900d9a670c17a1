"""What happens to a task that a worker process was given."""

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
    """A task raised an error that nobody thought of; its worker goes on."""

    task: Task
    reason: str


@dataclass(frozen=True)
class Lost(Generic[Task]):
    """The worker of a task died or froze; another has taken its place."""

    task: Task
    reason: str


@dataclass(frozen=True)
class Cancelled(Generic[Task]):
    """A task has stopped as was asked for; its worker goes on."""

    task: Task


@dataclass(frozen=True)
class Advanced(Generic[Task]):
    """A task is so far, from 0 to 1."""

    task: Task
    share: float
    note: str


Event = Finished[Task, Result] | Crashed[Task] | Lost[Task] | Cancelled[Task] | Advanced[Task]
