"""Many uploads at once: other requests are answered meanwhile."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from gliomask.web import entrance
from gliomask.web.incoming import Incoming
from gliomask.web.service import Service
from gliomask.web.tokens import Access
from gliomask.web.uploads import Upload, Uploads
from tests.web.listening import HOST, ask, listening
from tests.web.service import API, client, running, token_of, upload

UPLOADS = 60
"""More than there are threads for all requests together (40)."""
BODY = b"x" * 300_000
PATIENCE_S = 120.0
"""Nothing takes that long unless it never comes."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    limits = {"open_uploads": UPLOADS, "body_seconds": PATIENCE_S}
    with running(tmp_path / "data", limits=limits) as one:
        yield one


def request(method: str, token: str, path: str, body: bytes = b"") -> bytes:
    head = f"{method} {API}{path} HTTP/1.1\r\n{HOST}Authorization: Bearer {token}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_many_requests_at_once_hold_up_only_each_other(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the first ones that come in are at work, another request finds a thread."""
    ready, create = threading.Event(), Uploads.create

    def slow(self: Uploads, access: Access) -> Upload:
        ready.wait(2 * PATIENCE_S)
        return create(self, access)

    monkeypatch.setattr(Uploads, "create", slow)
    monkeypatch.setattr(entrance, "_MOST_S", PATIENCE_S)
    token = token_of(service)
    with listening(service, PATIENCE_S) as port, ThreadPoolExecutor(UPLOADS) as pool:
        post = request("POST", token, "/uploads")
        answers = [pool.submit(ask, port, post, seconds=3 * PATIENCE_S) for _ in range(UPLOADS)]
        try:
            time.sleep(0.5)
            answer = ask(port, request("GET", token, "/limits"), seconds=PATIENCE_S)
        finally:
            ready.set()
        assert answer.status == 200
        assert [one.result().status for one in answers] == [201] * UPLOADS


def test_bodies_that_never_come_keep_nobody_out(service: Service) -> None:
    token = token_of(service)
    made = upload(client(service, token))
    with listening(service, PATIENCE_S) as port, ExitStack() as stack:
        for number in range(20):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            put = request("PUT", token, f"/uploads/{made}/files/{number}?name=a", BODY)
            one.sendall(put[: -len(BODY)])
        assert ask(port, request("POST", token, "/uploads"), seconds=PATIENCE_S).status == 201


def test_a_slow_disk_holds_up_uploads_alone(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While all uploads wait for the disk, another request finds a thread; then all are stored."""
    room, at_once, most, lock = threading.Event(), 0, 0, threading.Lock()
    write = Incoming.write

    def slow(self: Incoming, chunk: bytes) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        room.wait(2 * PATIENCE_S)
        with lock:
            at_once -= 1
        write(self, chunk)

    monkeypatch.setattr(Incoming, "write", slow)
    token = token_of(service)
    uploads = [upload(client(service, token)) for _ in range(UPLOADS)]
    with listening(service, PATIENCE_S) as port, ThreadPoolExecutor(UPLOADS) as pool:
        puts = [request("PUT", token, f"/uploads/{one}/files/0?name=a", BODY) for one in uploads]
        answers = [pool.submit(ask, port, put, seconds=3 * PATIENCE_S) for put in puts]
        try:
            until = time.monotonic() + PATIENCE_S
            while most == 0 and time.monotonic() < until:
                time.sleep(0.05)
            time.sleep(1)
            answer = ask(port, request("GET", token, "/limits"), seconds=PATIENCE_S)
        finally:
            room.set()
        assert answer.status == 200
        assert [one.result().status for one in answers] == [200] * UPLOADS
    assert 1 < most <= 8
    access = service.tokens.access(token)
    assert access is not None
    for one in uploads:
        (file,) = service.uploads.get(access, one).files
        assert file.size == len(BODY)
