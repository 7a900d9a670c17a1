"""A case as a task of a worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CaseTask:
    """A case by the place of its line in the manifest, so that little goes between processes.

    Attributes:
        id: of the case; offset: of its line; ahead: the offset of a case that comes later.
    """

    id: str
    offset: int
    ahead: int | None = None
