"""Requests that last: how many an owner may have open, and what ends them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from gliomask.web.problems import Problem
from gliomask.web.service import Service
from gliomask.web.task import Task, TaskFile, TaskResult
from tests.web.corrected import done_job
from tests.web.listening import HOST, ask, listening
from tests.web.service import API, client, revoke, running, token_of

LIMIT = 3


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path / "data", limits={"lasting_requests": LIMIT}) as one:
        yield one


def queued(service: Service) -> str:
    access = service.tokens.access(token_of(service))
    assert access is not None
    upload = service.uploads.create(access).id
    return service.queue.add(access, "predict", upload, {})[0].id


def asking(port: int, token: str, path: str) -> socket.socket:
    """A connection on which a request was made and whose answer is still to be read."""
    one = socket.create_connection(("127.0.0.1", port), timeout=30)
    text = f"GET {API}{path} HTTP/1.1\r\n{HOST}Authorization: Bearer {token}\r\n\r\n"
    one.sendall(text.encode())
    return one


def status(port: int, token: str, path: str) -> int:
    text = f"GET {API}{path} HTTP/1.1\r\n{HOST}Authorization: Bearer {token}\r\n\r\n"
    return ask(port, text, seconds=30).status


def becomes(value: bool, seconds: float = 20.0, *, of: object) -> bool:
    """Whether a function gives a value within some seconds."""
    until = time.monotonic() + seconds
    assert callable(of)
    while bool(of()) is not value and time.monotonic() < until:
        time.sleep(0.05)
    return bool(of()) is value


def test_a_request_is_counted_while_it_lasts(service: Service) -> None:
    lasting = service.lasting
    with ExitStack() as stack:
        for _ in range(LIMIT):
            stack.enter_context(lasting.open("ann"))
        with pytest.raises(Problem, match="are open"), lasting.open("ann"):
            pass
        with lasting.open("bob"):
            pass
    with lasting.open("ann"):
        pass


def test_files_and_short_questions_count_for_nothing_once_they_are_answered(
    service: Service,
) -> None:
    job, ann = done_job(service), client(service, token_of(service))
    for _ in range(2 * LIMIT):
        assert ann.get(f"{API}/jobs/{job}/files/mask").status_code == 200
        assert ann.get(f"{API}/jobs/{job}/files/all").status_code == 200
        assert ann.get(f"{API}/jobs/{job}", params={"wait": 1}).status_code == 200
        assert ann.get(f"{API}/jobs/{job}/events").status_code == 200
        assert ann.get(f"{API}/jobs/{job}/files/none").status_code == 404
        assert ann.get(f"{API}/follow", params={"of": [job, "x"]}).status_code == 404
    assert list(service.folder.temporary.iterdir()) == []


def test_waits_of_more_than_a_minute_are_refused(service: Service) -> None:
    ann, job = client(service, token_of(service)), queued(service)
    for wait in ("60.1", "1e9", "inf", "nan", "-1"):
        assert ann.get(f"{API}/jobs/{job}", params={"wait": wait}).status_code == 422, wait


@pytest.mark.server
def test_streams_of_one_owner(service: Service) -> None:
    """One more than allowed is refused, to its owner alone; those that are left free a place."""
    job, token = queued(service), token_of(service)
    boss = token_of(service, "boss", "admin")
    with listening(service) as port:
        streams = [asking(port, token, f"/jobs/{job}/events") for _ in range(LIMIT)]
        assert all(one.recv(100).startswith(b"HTTP/1.1 200") for one in streams)
        assert status(port, token, f"/jobs/{job}/events") == 429
        assert status(port, token, f"/jobs/{job}?wait=1") == 429
        assert status(port, token, f"/jobs/{job}") == 200
        assert status(port, boss, f"/jobs/{job}?wait=0.1") == 200
        for one in streams:
            one.close()
        path = f"/jobs/{job}?wait=0.1"
        assert becomes(True, of=lambda: status(port, token, path) == 200)


@pytest.mark.server
def test_a_stream_ends_when_its_token_is_revoked(service: Service) -> None:
    job, token = queued(service), token_of(service)
    with listening(service) as port, asking(port, token, f"/jobs/{job}/events") as stream:
        assert stream.recv(100).startswith(b"HTTP/1.1 200")
        revoke(service, "ann")
        stream.settimeout(20)
        while stream.recv(65536):  # until the server ends it
            pass


@pytest.mark.server
def test_who_waits_for_workers_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 comparisons, more than the server has threads, by a token that may only read."""
    free = threading.Event()

    def run(task: Task, content: TaskFile) -> TaskResult:
        free.wait(60)
        return TaskResult("failed", "input", "not now")

    with running(tmp_path / "data", limits={"lasting_requests": 60}) as service:
        monkeypatch.setattr(service.supervisor, "run", run)
        jobs, token = [done_job(service, case=f"p1-{n}") for n in (1, 2)], token_of(service)
        eve = token_of(service, "ann", "read")
        path = f"/follow?of={jobs[0]}&of={jobs[1]}"
        with listening(service) as port:
            open_requests = [asking(port, eve, path) for _ in range(60)]
            assert becomes(True, of=lambda: service.lasting.threads.borrowed_tokens > 0)
            assert status(port, token, f"/jobs/{jobs[0]}") == 200
            assert service.lasting.threads.borrowed_tokens > 0  # they still wait
            free.set()
            heads = [one.recv(100) for one in open_requests]
            assert all(head.startswith(b"HTTP/1.1 422") for head in heads)
            for one in open_requests:
                one.close()


@pytest.mark.server
def test_a_client_that_does_not_take_its_answer(service: Service) -> None:
    """The connection ends, and the archive that was made for it goes."""
    job = done_job(service)
    (service.folder.result(job) / "p1-a.png").write_bytes(bytes(50_000_000))
    with listening(service, answer_seconds=1) as port:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", port))
        text = (
            f"GET {API}/jobs/{job}/files/all HTTP/1.1\r\n{HOST}"
            f"Authorization: Bearer {token_of(service)}\r\n\r\n"
        )
        one.sendall(text.encode())
        archives = service.folder.temporary.iterdir
        assert becomes(True, of=lambda: list(archives()))
        assert becomes(False, of=lambda: list(archives()))
        one.settimeout(20)
        with suppress(ConnectionError):  # it was ended, or reset
            while one.recv(1 << 20):
                pass
        one.close()
