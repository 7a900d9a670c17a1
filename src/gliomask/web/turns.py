"""Turns in which the bodies of requests are hashed and written.

A part of a body costs time of the event loop and a thread. If hundreds of uploads were handled at
once, every other request would wait behind all of them. While a body waits for its turn, nothing
more is read from its connection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar, TypeVarTuple

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Request

_AT_ONCE: Final = 4
Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


class Turns:
    """A few at a time, first come, first served."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(_AT_ONCE)

    async def run(self, function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """Call a function in a thread when it is its turn."""
        return await run_sync(function, *arguments, limiter=self._limiter)

    async def take(self, request: Request, write: Callable[[bytes], None]) -> None:
        """Write the body of a request, part by part.

        Raises:
            ClientDisconnect: it ended before it was complete.
        """
        async for part in request.stream():
            if part:
                await self.run(write, part)
