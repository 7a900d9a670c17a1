"""Ctrl-C and SIGTERM as stop requests, for command-line programs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from gliomask.errors import StoppedError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Convert the first SIGINT or SIGTERM to a stop request; a second one ends the process.

    Only the main thread gets signals: in another one nothing is changed.

    Yields:
        whether a stop was requested, for ``Control``.

    Raises:
        StoppedError: of the block, with the signal that came.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {signal_number: signal.getsignal(signal_number) for signal_number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        restore()

    for signal_number in _SIGNALS:
        signal.signal(signal_number, note)
    try:
        yield lambda: bool(came)
    except StoppedError as stopped:
        if not came:
            raise
        raise StoppedError(stopped.what, signal_number=came[0]) from stopped
    finally:
        restore()
