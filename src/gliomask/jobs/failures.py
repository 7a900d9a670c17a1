"""Error for a batch in which some cases failed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gliomask.errors import BatchError, Failure


def raise_failures(
    failures: Sequence[Failure], done: int, out: Path, result: object = None
) -> None:
    """Raise the error of a batch with failures; ``result`` is the result of the others.

    Raises:
        BatchError: there are failures; the others are in ``out``.
    """
    if failures:
        raise BatchError(f"{len(failures)} failed, {done} done; see {out}", failures, result)
