"""Clients that connect and say nothing, or next to nothing, over real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from gliomask.web.app import make_app
from gliomask.web.protocol import protocol
from gliomask.web.service import Service
from tests.web.service import API, running, token_of

pytestmark = pytest.mark.server

PATIENCE_S = 1.5


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    limits = {"body_seconds": PATIENCE_S, "body_bytes_per_second": 1000}
    with running(tmp_path, limits=limits) as one:
        yield one


@pytest.fixture
def port(service: Service) -> Iterator[int]:
    config = uvicorn.Config(
        make_app(service),
        http=protocol(PATIENCE_S),
        ws="none",
        lifespan="off",
        log_config=None,
        port=0,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as door:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        yield door.getsockname()[1]
        server.should_exit = True
        thread.join()


def connected(port: int, text: str) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port), timeout=20)
    one.sendall(text.encode())
    return one


def answer(one: socket.socket) -> str:
    """All that comes until the server ends the connection."""
    parts = []
    while part := one.recv(65536):
        parts.append(part)
    return b"".join(parts).decode()


def test_half_open_connections_cost_nobody_anything(port: int) -> None:
    kinds = ("", "GET / HTTP/1.1\r\nHost: 127.0", "POST /api/v1/jobs HTTP/1.1\r\nA: b\r\n")
    sockets = [connected(port, kinds[n % len(kinds)]) for n in range(300)]
    with connected(port, f"GET {API}/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as one:
        assert one.recv(100).startswith(b"HTTP/1.1 200")
    assert [one for one in sockets if answer(one)] == []  # closed by the server
    for one in sockets:
        one.close()


def test_the_second_request_of_a_connection_has_a_time_too(port: int) -> None:
    with connected(port, f"GET {API}/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as one:
        whole = b""
        while not whole.endswith(b"}"):
            whole += one.recv(4096)
        one.sendall(b"GET / HTTP/1.1\r\nHo")
        one.settimeout(10)
        assert one.recv(100) == b""


def begun(service: Service, port: int) -> tuple[socket.socket, Path]:
    """A connection on which a file has begun to come, and where it would be kept."""
    token = token_of(service)
    access = service.tokens.access(token)
    assert access is not None
    upload = service.uploads.create(access).id
    head = (
        f"PUT {API}/uploads/{upload}/files/0?name=a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: 100000\r\n\r\nxx"
    )
    return connected(port, head), service.folder.upload(upload)


def becomes(folder: Path, *, empty: bool) -> bool:
    """Whether a folder becomes empty, or not empty, within a minute."""
    end = time.monotonic() + 60
    while any(folder.iterdir()) is empty and time.monotonic() < end:
        time.sleep(0.01)
    return any(folder.iterdir()) is not empty


def test_a_body_that_does_not_come(service: Service, port: int) -> None:
    one, folder = begun(service, port)
    with one:
        text = answer(one)
    assert text.startswith("HTTP/1.1 408")
    assert '"too_slow"' in text
    assert becomes(folder, empty=True)


def trickle(one: socket.socket) -> None:
    for _ in range(int(10 * PATIENCE_S / 0.1)):
        one.sendall(b"x")
        time.sleep(0.1)


def test_a_body_that_comes_byte_by_byte(service: Service, port: int) -> None:
    one, folder = begun(service, port)
    with one, pytest.raises(OSError, match=r"pipe|reset"):
        trickle(one)
    assert becomes(folder, empty=True)


def test_a_client_that_goes_away_leaves_nothing(service: Service, port: int) -> None:
    one, folder = begun(service, port)
    assert becomes(folder, empty=False)
    one.close()
    assert becomes(folder, empty=True)
