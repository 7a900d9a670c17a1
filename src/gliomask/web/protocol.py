"""HTTP/1.1 of uvicorn, which waits for the header of a request for ever, with an end to that."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientProtocol(H11Protocol):
    """Ends connections on which no whole header comes for ``header_seconds``."""

    header_seconds = 10.0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """See asyncio."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        super().data_received(data)
        if self._in_request():
            self._stop_waiting()
        elif self._deadline is None:
            self._wait()

    def _in_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(self.header_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self._in_request():
            self.transport.close()


def protocol(header_seconds: float) -> type[PatientProtocol]:
    """The protocol with a patience of its own."""
    return type("Protocol", (PatientProtocol,), {"header_seconds": header_seconds})
