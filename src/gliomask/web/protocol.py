"""HTTP/1.1 protocol of uvicorn with time limits.

uvicorn waits without limit for the header of a request and for a client to read the response.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

RECEIVE_BYTES: Final = 2**15
"""Taken from a connection at once: held several times on its way to the disk, it is most of the
memory of a server with hundreds of uploads at a time."""


class PatientProtocol(H11Protocol):
    """Closes connections without a complete header or with an unread response.

    Attributes:
        header_seconds: time limit for a complete header.
        answer_seconds: time limit for the client to read a part of the response (some 48 kB).
    """

    header_seconds = 10.0
    answer_seconds = 30.0
    _deadline: asyncio.TimerHandle | None = None
    _answer_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """See asyncio."""
        super().connection_made(transport)
        with suppress(AttributeError):  # of another event loop, which may fix its own
            transport.max_size = RECEIVE_BYTES  # 256 KiB otherwise
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._stop_waiting()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """See asyncio: the client is slower than the response."""
        super().pause_writing()
        self._stop_waiting_for_reader()
        abort = self.transport.abort
        self._answer_deadline = self.loop.call_later(self.answer_seconds, abort)

    def resume_writing(self) -> None:
        """See asyncio."""
        self._stop_waiting_for_reader()
        super().resume_writing()

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

    def _stop_waiting_for_reader(self) -> None:
        if self._answer_deadline is not None:
            self._answer_deadline.cancel()
            self._answer_deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self._in_request():
            self.transport.close()


def protocol(header_seconds: float, answer_seconds: float = 30.0) -> type[PatientProtocol]:
    """Protocol class with time limits."""
    keys = {"header_seconds": header_seconds, "answer_seconds": answer_seconds}
    return type("Protocol", (PatientProtocol,), keys)
