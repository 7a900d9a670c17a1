"""A signal asks a training to stop; the training stops where it can be gone on with."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """While it is entered, SIGINT and SIGTERM are noted instead of obeyed.

    A second signal is obeyed at once. Only the main thread gets signals: elsewhere nothing is
    changed.

    Attributes:
        number: of the signal that came, 0 as long as none has.
    """

    def __init__(self) -> None:
        self.number = 0
        self._before = {one: signal.getsignal(one) for one in _SIGNALS}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for one in _SIGNALS:
                signal.signal(one, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        self._restore()

    def _restore(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for one, handler in self._before.items():
                signal.signal(one, handler)
