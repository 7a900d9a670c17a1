"""Bodies that are too large or lie about themselves, over real sockets: refused while they come."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from gliomask.web.service import Service
from tests.web.listening import HOST, ask, listening
from tests.web.service import API, running, token_of

pytestmark = pytest.mark.server

MB = 10**6
LIMIT = MB
JSON = "Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    limits = {"file_bytes": LIMIT, "body_seconds": 2}
    with running(tmp_path_factory.mktemp("http") / "data", limits=limits) as one:
        yield one


@pytest.fixture(scope="module")
def port(service: Service) -> Iterator[int]:
    with listening(service, header_seconds=2) as one:
        yield one


@pytest.fixture(scope="module")
def heads(service: Service) -> dict[str, str]:
    """The first lines of a request for a job, and of one that sends a file."""
    token = token_of(service)
    access = service.tokens.access(token)
    assert access is not None
    upload = service.uploads.create(access).id
    own = f"HTTP/1.1\r\n{HOST}Authorization: Bearer {token}\r\n"
    return {
        "job": f"POST {API}/jobs {own}{JSON}",
        "file": f"PUT {API}/uploads/{upload}/files/0?name=a {own}",
    }


def memory() -> float:
    """Resident MB of this process, in which the server is."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MB


def chunks(total: int) -> Iterator[bytes]:
    """A chunked body of zeros without an end."""
    for _ in range(total // 50_000):
        yield b"c350\r\n" + bytes(50_000) + b"\r\n"


def zeros(total: int) -> Iterator[bytes]:
    for _ in range(total // 50_000):
        yield bytes(50_000)


BOMB = 100 * gzip.compress(bytes(MB), 9)
CHUNKED = "Transfer-Encoding: chunked\r\n\r\n"
Body = Callable[[], Iterable[bytes]]
CASES: dict[str, tuple[str, str, Body, set[int]]] = {
    "a job without an end": ("job", CHUNKED, lambda: chunks(200 * MB), {413}),
    "a file without an end": ("file", CHUNKED, lambda: chunks(200 * MB), {413}),
    "a file of a length": ("file", f"Content-Length: {200 * MB}\r\n\r\n", lambda: zeros(MB), {413}),
    "a file that is longer": ("file", "Content-Length: 10\r\n\r\n", lambda: zeros(MB), {200}),
    "a huge length": ("job", f"Content-Length: {'9' * 18}\r\n\r\n", lambda: [b"{}"], {413}),
    "40 digits": ("job", f"Content-Length: {'9' * 40}\r\n\r\n", lambda: [b"{}"], {400}),
    "a negative length": ("job", "Content-Length: -1\r\n\r\n", lambda: [b"{}"], {400}),
    "a length with a sign": ("job", "Content-Length: +2\r\n\r\n", lambda: [b"{}"], {400}),
    "no number": ("job", "Content-Length: x\r\n\r\n", lambda: [b"{}"], {400}),
    "two lengths": (
        "job", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n", lambda: [b"{}"], {400}
    ),
    "a length and chunks": (
        "job", f"Content-Length: 2\r\n{CHUNKED}", lambda: [b"0\r\n\r\n"], {422}
    ),
    "a large chunk": ("job", CHUNKED, lambda: [b"f" * 20 + b"\r\n"], {400, 408}),
    "no chunk": ("job", CHUNKED, lambda: [b"zz\r\n"], {400}),
    "packed chunks": ("job", "Transfer-Encoding: gzip, chunked\r\n\r\n", lambda: [BOMB], {400}),
    "a bomb": ("job", f"Content-Encoding: gzip\r\nContent-Length: {len(BOMB)}\r\n\r\n",
               lambda: [BOMB], {415}),
    "a packed file": ("file", f"Content-Encoding: br\r\nContent-Length: {len(BOMB)}\r\n\r\n",
                      lambda: [BOMB], {415}),
    "a second encoding": (
        "file",
        "Content-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n",
        lambda: [b"xx"],
        {415},
    ),
    "a shorter body": ("file", "Content-Length: 1000\r\n\r\n", lambda: [b"x"], {408}),
    "a large header": ("job", f"X: {'a' * MB}\r\n\r\n", list, {400}),
    "many headers": ("job", "X: a\r\n" * 100_000 + "\r\n", list, {400}),
    "nested JSON": ("job", "Content-Length: 50000\r\n\r\n", lambda: [b"[" * 50_000], {400}),
    "digits": ("job", "Content-Length: 50000\r\n\r\n", lambda: [b"9" * 50_000], {400}),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_bodies_that_lie(service: Service, port: int, heads: dict[str, str], name: str) -> None:
    which, rest, body, allowed = CASES[name]
    before = memory()
    reply = ask(port, heads[which] + rest, body())
    assert reply.status in allowed, (reply, name)
    assert reply.sent < 30 * MB  # a part fills the buffers of the system
    assert memory() - before < 20
    stored = {row["stored"] for row in service.database.rows("SELECT stored FROM upload_file")}
    left = {path.name for path in service.folder.uploads.rglob("*") if path.is_file()}
    assert left == stored
    if reply.status == 200:
        sizes = [row["size"] for row in service.database.rows("SELECT size FROM upload_file")]
        assert sizes == [10]
