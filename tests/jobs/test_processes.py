"""Jobs over several processes."""

from __future__ import annotations

import os
import signal

import pytest

from gliomask.errors import CaseError, MachineError
from gliomask.jobs.control import Control
from gliomask.jobs.processes import spread


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
