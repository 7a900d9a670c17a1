"""Jobs over several processes."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from gliomask.errors import CaseError, MachineError, StoppedError
from gliomask.jobs.control import Control
from gliomask.jobs.processes import spread
from tests.heard import Heard


def double(number: int, _control: Control) -> tuple[int, int]:
    return 2 * number, os.getpid()


def refuse(number: int, _control: Control) -> int:
    if number == 3:
        raise CaseError("three")
    return number


def die(number: int, _control: Control) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_every_job_is_done_in_other_processes() -> None:
    found = list(spread(double, range(7), workers=2))
    assert sorted(result for result, _ in found) == [0, 2, 4, 6, 8, 10, 12]
    assert os.getpid() not in {pid for _, pid in found}


def test_one_worker_is_this_process_and_keeps_the_order() -> None:
    assert list(spread(double, range(3), workers=1)) == [(2 * k, os.getpid()) for k in range(3)]
    assert list(spread(double, [4])) == [(8, os.getpid())]
    assert list(spread(double, [])) == []


def test_an_error_ends_all() -> None:
    with pytest.raises(CaseError):
        list(spread(refuse, range(5), workers=2))


def test_a_killed_worker_is_told() -> None:
    with pytest.raises(MachineError, match="worker process was killed"):
        list(spread(die, range(4), workers=2))


def halves(number: int, control: Control) -> int:
    control.start(2, "half")
    control.advance(note=f"half of {number}")
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_within_a_job_comes_from_its_process(workers: int) -> None:
    heard = Heard()
    list(spread(halves, range(3), Control(heard), workers=workers))
    assert sum(heard.steps) == pytest.approx(3)
    assert {f"half of {number}" for number in range(3)} <= set(heard.notes)
    assert max(heard.steps) <= 0.5


def endless(number: int, control: Control) -> int:
    """Ends by a stop alone; a note a moment, so that the pipe to the parent would fill up."""
    control.start(1e9, "moment")
    while True:
        control.advance(note=str(number) * 100)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_ends_all_jobs(workers: int) -> None:
    stop = threading.Event()

    class Stopping(Heard):
        def advance(self, steps: float = 1, note: str = "") -> None:
            stop.set()

    with pytest.raises(StoppedError):
        list(spread(endless, range(8), Control(Stopping(), stop.is_set), workers=workers))
    assert stop.is_set()


def test_an_error_ends_the_jobs_that_run() -> None:
    with pytest.raises(CaseError, match="three"):
        list(spread(endless_but_three, range(2, 4), workers=2))


def endless_but_three(number: int, control: Control) -> int:
    if number == 3:
        raise CaseError("three")
    return endless(number, control)
