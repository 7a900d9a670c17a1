"""Interface of layout readers (a name and two functions), and their result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gliomask.core.case import Case
from gliomask.errors import InputError, LayoutError


@dataclass(frozen=True)
class Problem:
    """A case that can't be used.

    Attributes:
        case: its name, as the layout has it.
        reason: what is wrong, for people.
    """

    case: str
    reason: str


@dataclass(frozen=True)
class LayoutVerdict:
    """Verdict of a layout reader on a folder.

    Attributes:
        fits: yes or no.
        why: what was found or missed, as the end of a sentence.
    """

    fits: bool
    why: str


Cases = tuple[tuple[Case, ...], tuple[Problem, ...]]
"""The usable cases of a data set in a steady order, and all those that can't be used."""


def first_with(places: Iterable[Path], has: Callable[[Path], object]) -> Path | None:
    """The first folder that has what is looked for; one that can't be looked into has nothing."""
    for place in places:
        with suppress(LayoutError):
            if has(place):
                return place
    return None


def in_folders(places: Iterable[Path], read: Callable[[Path], Cases]) -> Cases:
    """The cases in each of some folders; a folder that can't be used is a problem of its own."""
    cases_found: list[Case] = []
    problems: list[Problem] = []
    for place in places:
        try:
            cases, refused = read(place)
        except InputError as problem:
            cases, refused = (), (Problem(place.name, str(problem)),)
        cases_found += cases
        problems += refused
    return tuple(cases_found), tuple(problems)


@dataclass(frozen=True)
class Layout:
    """A layout in which data sets are published.

    Attributes:
        name: of the layout, e.g. ``brats``.
        looks_like: whether a path (folder or file) is the root of such a data set. Looks at
            names, and at no more content than it must.
        cases: all cases below a root that looks like it. Never raises for a bad case.
        by_folder: whether each folder in the root should be a case (or a group of cases).
        described: whether a file in the root says that it is in this layout, which names of files
            don't make doubtful.
    """

    name: str
    looks_like: Callable[[Path], LayoutVerdict]
    cases: Callable[[Path], Cases]
    by_folder: bool = True
    described: bool = False


@dataclass(frozen=True)
class Found:
    """Cases and problems of a data set.

    Attributes:
        layout: the layout's name.
        cases: usable ones, ids unique.
        problems: unusable ones, all of them.
        explanation: why this layout was chosen, and what was left out; sentences for people.
        left_out: folders among those of the cases in which no case was found.
    """

    layout: str
    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]
    explanation: tuple[str, ...]
    left_out: tuple[Path, ...] = ()
