"""A piece of work is a part of a longer stretch, and every report is a moment to stop."""

from __future__ import annotations

import threading

import pytest

from gliomask.errors import StoppedError
from gliomask.jobs.control import SILENT, Control
from tests.heard import Heard


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
    assert heard.started == []  # the stretch was begun by whoever owns it


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


def test_parts_of_a_part_have_their_weights() -> None:
    heard = Heard()
    with Control(heard).part("p1") as case:
        case.start(10, "")
        with case.part(steps=2) as reading:
            reading.start(4, "image")
            reading.advance()
        with case.part(steps=8) as slices:
            slices.start(2, "slice")
            slices.advance(note="half")
    assert heard.steps == pytest.approx([0.05, 0.15, 0.4, 0.4, 0])
    assert heard.notes == ["p1: image 1 of 4", "p1", "p1: half", "p1", "p1"]


def test_a_part_that_fails_does_not_end() -> None:
    heard = Heard()
    with pytest.raises(ValueError, match="no"), Control(heard).part("p1"):
        raise ValueError("no")
    assert heard.steps == []


def test_every_report_is_a_moment_to_stop() -> None:
    stop, heard = threading.Event(), Heard()
    control = Control(heard, stop.is_set)
    control.check()
    control.start(3, "case")
    stop.set()
    for report in (control.check, control.advance, lambda: control.start(1, "more")):
        with pytest.raises(StoppedError):
            report()
    with pytest.raises(StoppedError), control.part("p1"):
        raise AssertionError("it had begun")
    assert heard.steps == [1]  # what is done is reported before the stop


def test_the_end_of_a_part_is_no_moment_to_stop() -> None:
    stop = threading.Event()
    with Control(stop_requested=stop.is_set).part() as part:
        stop.set()
    with pytest.raises(StoppedError):
        part.check()


def test_waiting_ends_with_a_stop() -> None:
    answers = iter([False, False, True])
    with pytest.raises(StoppedError):
        Control(stop_requested=lambda: next(answers)).wait(1e9)
    assert next(answers, None) is None  # asked three times
    SILENT.wait(0)


def test_a_stop_by_a_program_ends_like_one_by_sigterm() -> None:
    with pytest.raises(StoppedError) as caught:
        Control(stop_requested=lambda: True).check()
    assert caught.value.exit_code == 143
