"""Ids that are guessed, of others, or paths: 404, and no file outside the data folder is opened.

Nor is any other machine asked for anything, or any program run.
"""

from __future__ import annotations

import http.client
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gliomask.web.app import _STATIC
from gliomask.web.service import Service
from tests.web.corrected import done_job
from tests.web.listening import listening
from tests.web.service import API, running

pytestmark = pytest.mark.server

_opened: list[str] | None = None
_FILES = ("open", "os.listdir", "os.scandir", "os.remove")
_OUTSIDE = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system")


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is None:
        return
    if event in _FILES:
        _opened.append(str(arguments[0]))
    if event in _OUTSIDE:
        _opened.append(event)


sys.addaudithook(_note)  # it can't be taken away again, and does nothing by itself


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("paths") / "data") as one:
        yield one


@pytest.fixture(scope="module")
def connection(service: Service) -> Iterator[http.client.HTTPConnection]:
    with listening(service) as port:
        one = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        yield one
        one.close()


PARTS = (
    "..", ".", "", "%2e%2e", "%2E%2e", "..%2f", "..%5c", "%2f", "%5c", "%00", "%ff", "%c0%ae%c0%ae",
    "..%252f", "~", "etc", "passwd", "C:", "%0d%0a", "file:", "jobs", "uploads", "files", "mask",
    "serve.sqlite", "tmp", "result", "corrections", "0" * 32, "*", "%25", "a" * 300, "%e2%80%ae",
)  # fmt: skip
SHAPES = (
    "/jobs/{}", "/jobs/{}/files/mask", "/jobs/{}/files/{}", "/jobs/{}/layers/{}", "/jobs/{}/events",
    "/jobs/{}/corrections", "/uploads/{}", "/{}", "/jobs/{}/files/all?case={}",
    "/follow?of={}&of={}", "/jobs?before={}", "/../../static/{}", "/../../{}",
    "/jobs/{}/correction/1",
)  # fmt: skip


def paths(number: int, foreign: str, seed: int = 0) -> Iterator[str]:
    """Ids that are guessed, that of somebody else's job, and ways out of the folder."""
    chance = random.Random(seed)
    for _ in range(number):
        shape = chance.choice(SHAPES)
        fillings = []
        for _ in range(shape.count("{}")):
            kind = chance.random()
            if kind < 0.3:
                fillings.append(f"{chance.getrandbits(128):032x}")
            elif kind < 0.5:
                fillings.append(foreign)
            else:
                fillings.append("/".join(chance.choices(PARTS, k=chance.randint(1, 4))))
        yield API + shape.format(*fillings)


def answers(
    connection: http.client.HTTPConnection, token: str, asked: Iterator[str]
) -> dict[int, int]:
    """How many answers of each status come; all bodies are short."""
    counts: dict[int, int] = {}
    for path in asked:
        method = "GET" if not path.endswith("/correction/1") else "DELETE"
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.putheader("Authorization", f"Bearer {token}")
        connection.endheaders()
        reply = connection.getresponse()
        body = reply.read()
        assert reply.status in (200, 303, 404, 405, 409, 422), (path, reply.status, body)
        if reply.status == 200:
            assert body == b"[]" or path.startswith(f"{API}/../../"), (path, body)
        counts[reply.status] = counts.get(reply.status, 0) + 1
    return counts


def guess(
    service: Service, connection: http.client.HTTPConnection, number: int, scopes: list[str]
) -> None:
    global _opened
    foreign = done_job(service, owner="bob")
    token = service.tokens.create("eve", scopes, 1.0)  # type: ignore[arg-type]
    answers(connection, token, iter([f"{API}/jobs"]))  # which connects
    before = sorted(service.folder.root.rglob("*"))
    seen: list[str] = []
    _opened = seen
    try:
        counts = answers(connection, token, paths(number, foreign))
    finally:
        _opened = None
    assert counts[404] > number / 2
    allowed = (service.folder.root, _STATIC)
    outside = {
        path
        for path in seen
        if not any(Path(path).is_relative_to(folder) for folder in allowed)
        and not path.isdigit()  # a number of an open file
    }
    assert {path for path in outside if not _of_python(path)} == set()
    inside = [path for path in seen if foreign in path]
    assert inside == []
    assert sorted(service.folder.root.rglob("*")) == before


def _of_python(path: str) -> bool:
    """Modules that are imported late, types of media, the clock."""
    known = (sys.prefix, sys.base_prefix, "/etc/mime.types", "/etc/localtime", "/proc/self")
    return path.startswith((*known, str(Path(__file__).parents[2] / "src"))) or "mime.types" in path


def test_paths_and_ids(service: Service, connection: http.client.HTTPConnection) -> None:
    guess(service, connection, 300, ["read", "submit"])


@pytest.mark.slow
def test_5000_paths_and_ids(service: Service, connection: http.client.HTTPConnection) -> None:
    guess(service, connection, 5000, ["read", "submit"])
