"""A service behind real sockets in this process, and requests of any bytes, for tests."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import uvicorn

from gliomask.web.app import make_app
from gliomask.web.protocol import protocol
from gliomask.web.service import Service

HOST = "Host: 127.0.0.1\r\n"


@contextmanager
def listening(
    service: Service, header_seconds: float = 10.0, answer_seconds: float = 30.0
) -> Iterator[int]:
    """The port of a server as ``gliomask serve`` runs it, without workers."""
    config = uvicorn.Config(
        make_app(service),
        http=protocol(header_seconds, answer_seconds),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as door:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            yield door.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@dataclass(frozen=True)
class Reply:
    """An answer.

    Attributes:
        status: 0 for none; head, body: of it; sent: bytes of the request that were taken.
    """

    status: int
    head: str
    body: bytes
    sent: int


def ask(port: int, head: str | bytes, body: Iterable[bytes] = (), seconds: float = 60) -> Reply:
    """Sends bytes on a connection of their own, until the server has enough of them."""
    raw = head.encode("latin-1") if isinstance(head, str) else head
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as one:
        with suppress(ConnectionError):
            one.sendall(raw)
            for piece in body:
                one.sendall(piece)
                sent += len(piece)
        return _reply(one, sent, time.monotonic() + seconds)


def _reply(one: socket.socket, sent: int, until: float) -> Reply:
    got = b""
    with suppress(ConnectionError, TimeoutError):
        while time.monotonic() < until and not _whole(got):
            if not (part := one.recv(65536)):
                break
            got += part
    head, _, body = got.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    status = int(words[1]) if len(words) > 1 else 0
    return Reply(status, head.decode("latin-1").lower(), body, sent)


def _whole(got: bytes) -> bool:
    head, end, body = got.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if end and name == b"content-length":
            return len(body) >= int(value)
    return False
