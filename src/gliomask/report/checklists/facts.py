"""Type of a fact: a reader of records, and the place that it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from gliomask.core.counted import listed
from gliomask.report.checklists.records import Records, items_at, text_at
from gliomask.report.markdown import one_line


@dataclass(frozen=True)
class Fact:
    """A fact that records may contain.

    Attributes:
        read: returns its text; None if the records don't contain it.
        source: name of the records that it reads.
    """

    read: Callable[[Records], str | None]
    source: str


def software(record: object) -> str | None:
    """Names and versions of a provenance's software."""
    known = [f"{name} {one_line(v)}" for name, v in _software(record)]
    return listed(known) if known else None


def by_this_version(record: object) -> bool:
    """Return True if exactly this version wrote a provenance."""
    return text_at(record, "software", "gliomask") == metadata.version("gliomask")


def _software(record: object) -> list[tuple[str, str]]:
    return [(k, v) for k, v in items_at(record, "software") if isinstance(v, str) and one_line(v)]
