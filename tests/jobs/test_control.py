"""A piece of work is one step of a longer stretch, and its shares add up to it."""

from __future__ import annotations

import pytest

from gliomask.jobs.control import Control


class Heard:
    def __init__(self) -> None:
        self.steps: list[float] = []
        self.notes: list[str] = []

    def start(self, total: float, what: str) -> None:
        raise AssertionError("the stretch was begun by whoever owns it")

    def advance(self, steps: float = 1, note: str = "") -> None:
        self.steps.append(steps)
        self.notes.append(note)


def test_shares_add_up_to_one_step() -> None:
    heard = Heard()
    with Control(heard).part("p1") as part:
        part.start(8, "slice")
        part.advance(2)
        part.advance(4)
        assert heard.steps == [0.25, 0.5]
        assert heard.notes == ["p1: slice 2 of 8", "p1: slice 6 of 8"]
    assert sum(heard.steps) == pytest.approx(1)
    assert heard.notes[-1] == "p1"


def test_too_many_and_none_and_twice_are_one_step_all_the_same() -> None:
    for totals in ((2, 5), (0,), ()):
        heard = Heard()
        with Control(heard).part("p1") as part:
            for total in totals:
                part.start(total, "slice")
                part.advance(3)
                part.advance(3)
        assert sum(heard.steps) == pytest.approx(1)
        assert min(heard.steps) >= 0
