"""Journal of the completed cases of a long batch, to resume it.

A journal is a hidden file next to the output folder of the batch, with a line of JSON for each
finished item. The key of an item includes everything that it depends on, so items of changed files
or options are not reused. Incomplete lines of a killed process are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from gliomask.core.atomic import writing
from gliomask.errors import Failure, InputError, ModelError
from gliomask.jobs.control import Control
from gliomask.jobs.processes import spread

Piece = TypeVar("Piece")

_MAX_LINE = 2**24
"""Bytes of one piece; longer lines are not ours."""


class Journal(Generic[Piece]):
    """The journal of one batch; use it as a context.

    Args:
        out: the folder that the batch will write.
        kind: the type of a piece, a dataclass of plain values.
        name: of the journal, where a batch keeps several.
    """

    def __init__(self, out: Path, kind: type[Piece], name: str = "cases") -> None:
        self.path = out.with_name(f".{out.name}.{name}.journal")
        self._adapter: TypeAdapter[Piece] = TypeAdapter(kind)
        self._done: dict[str, Piece] = {}
        self._version = version("gliomask")

    def load(self) -> Journal[Piece]:
        """Reads what is in it, without a claim to write."""
        self._done = dict(self._read())
        return self

    def __enter__(self) -> Journal[Piece]:
        self.load()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("ab")
        if self._file.tell() and not _ends_line(self.path):
            self._file.write(b"\n")
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        with writing(self.path):
            self._file.close()

    def __len__(self) -> int:
        return len(self._done)

    def get(self, key: str) -> Piece | None:
        """A piece that was done earlier."""
        return self._done.get(self._full(key))

    def add(self, key: str, piece: Piece) -> None:
        """Writes a finished piece down."""
        line = {"key": self._full(key), "piece": self._adapter.dump_python(piece, mode="json")}
        with writing(self.path):
            self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()
        self._done[self._full(key)] = piece

    def discard(self) -> None:
        """Removes the journal, when the folder contains everything that was in it."""
        self.path.unlink(missing_ok=True)

    def _full(self, key: str) -> str:
        """Another version of gliomask may give other results."""
        return f"{self._version}:{key}"

    def _read(self) -> Iterable[tuple[str, Piece]]:
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            while line := file.readline(_MAX_LINE):
                try:
                    keys = json.loads(line)
                    yield str(keys["key"]), self._adapter.validate_python(keys["piece"])
                except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
                    continue


class JournalTask(Protocol):
    """A piece of work that goes to a process.

    Attributes:
        key: all that its result depends on.
        case: case of the piece.
    """

    @property
    def key(self) -> str: ...

    @property
    def case(self) -> str: ...


AnyTask = TypeVar("AnyTask", bound=JournalTask)


@dataclass(frozen=True)
class Done(Generic[Piece]):
    """A batch that is through.

    Attributes:
        pieces: in the order of their tasks.
        failures: in the order of theirs.
        resumed: number of pieces that were in the journal already.
    """

    pieces: list[Piece]
    failures: list[Failure]
    resumed: int


def go_on(
    work: Callable[[AnyTask, Control], Piece],
    tasks: Sequence[AnyTask],
    journal: Journal[Piece],
    control: Control,
    workers: int,
) -> Done[Piece]:
    """Runs the tasks that are not in the journal, and writes each into it.

    Args:
        work: see ``spread``; an ``InputError`` is the task's failure and no end of all.
        tasks: of different cases.
        journal: open.
        control: reports each task, and within it what ``work`` reports.
        workers: see ``spread``.
    """
    # Each key is made once: it reads the metadata of every file.
    keys = {task.case: task.key for task in tasks}
    done = {case: journal.get(key) for case, key in keys.items()}
    left = [task for task in tasks if done[task.case] is None]
    resumed = len(tasks) - len(left)
    control.advance(resumed, note="resumed" if resumed else "")
    failed: dict[str, Failure] = {}
    for case, result in spread(partial(_named, work), left, control, workers):
        if isinstance(result, _Failed):
            failed[case] = case, result.reason
        else:
            journal.add(keys[case], result)
            done[case] = result
    pieces = [piece for task in tasks if (piece := done[task.case]) is not None]
    return Done(pieces, [failed[task.case] for task in tasks if task.case in failed], resumed)


@dataclass(frozen=True)
class _Failed:
    reason: str


def _named(
    work: Callable[[AnyTask, Control], Piece], task: AnyTask, control: Control
) -> tuple[str, Piece | _Failed]:
    """The result with its case; an error as its text, for not every error can be pickled."""
    try:
        with control.part(task.case) as part:
            return task.case, work(task, part)
    except ModelError:
        raise  # no other case would fare better
    except InputError as problem:
        return task.case, _Failed(str(problem))


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
