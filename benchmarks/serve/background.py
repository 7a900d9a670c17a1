"""Work that a thread repeats while a server is measured."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import Self


class Background(ABC):
    """Runs ``run`` in a thread until the end of the context.

    Args:
        every_s: pause before each turn, in seconds.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    @abstractmethod
    def run(self) -> None:
        """Do the work once for each of ``turns``."""

    def turns(self) -> Iterator[None]:
        """One for each repetition, until the context ends."""
        while not self._ended.wait(self._every_s):
            yield
