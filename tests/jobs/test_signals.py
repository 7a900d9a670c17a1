"""A signal is noted, and a second one obeyed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from gliomask.errors import StoppedError
from gliomask.jobs.control import Control
from gliomask.jobs.signals import stop_on_signals


@pytest.fixture
def default_interrupt() -> Iterator[None]:
    """As in a terminal: a shell starts programs in its background with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_handlers_come_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def interrupt() -> None:
        with stop_on_signals() as requested:
            assert not requested()
            signal.raise_signal(number)
            assert requested()
            assert signal.getsignal(number) == before
            Control(stop_requested=requested).check()

    with pytest.raises(StoppedError) as caught:
        interrupt()
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(number) == before


def test_a_stop_by_someone_else_keeps_its_code() -> None:
    with pytest.raises(StoppedError) as caught, stop_on_signals():
        Control(stop_requested=lambda: True).check()
    assert caught.value.exit_code == 143


def test_a_second_interrupt_is_obeyed(default_interrupt: None) -> None:
    def interrupt_twice() -> None:
        with stop_on_signals():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupt_twice()


def test_other_threads_leave_the_handlers_alone() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with stop_on_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
