"""One bad folder is its own problem, and never the end of the search."""

from __future__ import annotations

from pathlib import Path

from gliomask.core.case import Case
from gliomask.datasets.layout import Cases, Problem, first_with, in_folders
from gliomask.errors import LayoutError

PLACES = [Path("locked"), Path("empty"), Path("full")]


def read(place: Path) -> Cases:
    if place.name == "locked":
        raise LayoutError("can't be listed", path=place)
    found = (Case("a", "p", {}),) if place.name == "full" else ()
    return found, ()


def test_cases_in_folders() -> None:
    found, problems = in_folders(PLACES, read)
    assert [case.id for case in found] == ["a"]
    assert problems == (Problem("locked", "locked: can't be listed"),)


def test_the_first_that_has_it() -> None:
    assert first_with(PLACES, lambda place: read(place)[0]) == Path("full")
    assert first_with(PLACES[:2], lambda place: read(place)[0]) is None
