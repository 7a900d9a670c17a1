"""The entrance of requests that send something, a few at a time.

Before its body is read, such a request takes several turns of the event loop: its token is checked,
and its upload is found. If hundreds came in at once, every other request would wait behind all of
them. Requests that only read something don't wait here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

_AT_ONCE: Final = 8
_SENDING: Final = ("POST", "PUT")
_MOST_S: Final = 1.0
"""Limit for keeping a place: some requests wait for a job or a slow disk."""


class Entrance:
    """First come, first served."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def pass_through(self, method: str) -> AsyncIterator[Callable[[], None]]:
        """Wait for a place, and keep it until the request ends or leaves by the given function."""
        inside = method in _SENDING

        def leave() -> None:
            nonlocal inside
            if inside:
                inside = False
                self._places.release()

        if not inside:
            yield leave
            return
        await self._places.acquire()
        latest = asyncio.get_running_loop().call_later(_MOST_S, leave)
        try:
            yield leave
        finally:
            latest.cancel()
            leave()
