"""Requests that last: waits, streams of events, comparisons, corrections, downloads.

Each uses memory, and some use a thread or a temporary file. So an owner may have few of them open
at a time, and those that wait for a worker share a few threads: other requests always find one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from anyio import CapacityLimiter

from gliomask.web.problems import Problem

_THREADS: Final = 4


class LastingRequests:
    """The lasting requests of a server; all methods are called in its event loop.

    Args:
        limit: of one owner at a time.

    Attributes:
        threads: for those that wait for a worker.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._open = limit, Counter[str]()
        self.threads = CapacityLimiter(_THREADS)

    @contextmanager
    def open(self, owner: str) -> Iterator[None]:
        """Counts a request while it lasts.

        Raises:
            Problem: the owner has too many.
        """
        if self._open[owner] >= self._limit:
            text = f"{self._limit} waits, streams and downloads of yours are open: end some"
            raise Problem(429, text, retry_s=10)
        self._open[owner] += 1
        try:
            yield
        finally:
            self._open[owner] -= 1
            if not self._open[owner]:
                del self._open[owner]
