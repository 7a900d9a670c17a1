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
        case: its name in the layout.
        reason: reason, for display.
    """

    case: str
    reason: str


@dataclass(frozen=True)
class LayoutVerdict:
    """Verdict of a layout reader on a folder.

    Attributes:
        fits: whether the layout matches.
        why: evidence, or what is missing, as the end of a sentence.
    """

    fits: bool
    why: str


Cases = tuple[tuple[Case, ...], tuple[Problem, ...]]
"""Usable cases of a data set in a fixed order, and all unusable ones."""


def first_with(places: Iterable[Path], has: Callable[[Path], object]) -> Path | None:
    """Find the first folder that fulfils a condition; unreadable folders do not."""
    for place in places:
        with suppress(LayoutError):
            if has(place):
                return place
    return None


def in_folders(places: Iterable[Path], read: Callable[[Path], Cases]) -> Cases:
    """Collect the cases of several folders; an unusable folder is a problem."""
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
    """A layout of published data sets.

    Attributes:
        name: name of the layout, e.g. ``brats``.
        looks_like: checks whether a path (folder or file) is the root of such a data set, by names
            and as little content as possible.
        cases: finds all cases below a matching root; never raises for a bad case. ``find`` lists
            cases without images as problems.
        by_folder: whether each folder in the root should be a case (or a group of cases).
        described: whether a file in the root defines this layout, independently of other file
            names.
    """

    name: str
    looks_like: Callable[[Path], LayoutVerdict]
    cases: Callable[[Path], Cases]
    by_folder: bool = True
    described: bool = False


@dataclass(frozen=True)
class FoundCases:
    """Cases and problems of a data set.

    Attributes:
        layout: the layout's name.
        cases: usable ones, ids unique.
        problems: unusable ones, all of them.
        explanation: sentences on the reason for this layout, and on files that are not used.
        left_out: folders without cases, next to folders of cases.
    """

    layout: str
    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]
    explanation: tuple[str, ...]
    left_out: tuple[Path, ...] = ()
