"""Slow, half-open and aborted connections to a running server, and a normal user meanwhile.

python -m benchmarks.serve.slow_clients [--sockets 500]
"""

from __future__ import annotations

import argparse
import selectors
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.serve.health import Health
from benchmarks.serve.processes import open_files
from benchmarks.serve.rows import Row, report, run
from benchmarks.serve.studies import small
from benchmarks.serve.work import QUICK, until
from benchmarks.tables import Report
from tests.web.live import Server, served

_STEP = 65_536
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends a reset."""


def measure(options: argparse.Namespace, place: Path) -> Report:
    """Each kind of bad client in turn."""
    with served(place / "data") as server:
        study = small(place / "scans")
        files = open_files(server.process.pid)
        rows = [
            _drip(server, options.half_open, study, "A11", "half-open", 0),
            _drip(server, options.sockets, study, "S3", "with a byte a second", 1),
            _readers(server, options.readers),
            _half_closed(server, 20),
            _aborted(server, options.megabytes),
        ]
        until(lambda: open_files(server.process.pid) <= files + 5, 30)
        left = open_files(server.process.pid)
        result = f"{files} before, {left} after"
        rows.append(Row("S3", "all of these", "no open files are left", result, left <= files + 5))
    return report("slow clients", rows)


def _connected(server: Server, text: str) -> socket.socket:
    port = int(server.address.split(":")[2].split("/")[0])
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(text.encode())
    return connection


def _drip(server: Server, count: int, study: Path, row: str, what: str, rate: int) -> Row:
    """Connections on which a header never ends, and a user meanwhile."""
    kinds = ("", "GET / HTTP/1.1\r\nHost: 127.0", "POST /api/v1/jobs HTTP/1.1\r\nA: b\r\n")
    with Health(str(server.client.base_url)) as health:
        sockets = [_connected(server, kinds[n % len(kinds)]) for n in range(count)]
        opened = time.monotonic()
        seconds = _until_closed(sockets, rate, opened)
        job = server.ended(server.submit(server.upload(study), **QUICK), 600)
    result = (
        f"all closed {seconds:.1f} s after the last was opened; the user's job: {job['state']}; "
        f"{health.text}"
    )
    good = seconds < 15 and job["state"] == "done" and not health.failures
    good = good and health.quantile_ms(1) < 1000
    expected = "closed at their time-out (10 s); the user is served; /health < 1 s"
    return Row(row, f"{count} connections {what}", expected, result, good)


def _until_closed(sockets: list[socket.socket], rate: int, opened: float) -> float:
    """Seconds until the server has closed all of them; ``rate`` bytes a second are sent."""
    with selectors.DefaultSelector() as selector:
        for connection in sockets:
            selector.register(connection, selectors.EVENT_READ, connection)
        sent = time.monotonic()
        while selector.get_map() and time.monotonic() - opened < 60:
            for key, _ in selector.select(0.1):
                _read(selector, key.data)
            if rate and time.monotonic() - sent > 1 / rate:
                sent = time.monotonic()
                for key in list(selector.get_map().values()):
                    _send(selector, key.data)
    seconds = time.monotonic() - opened
    for connection in sockets:
        connection.close()
    return seconds


def _read(selector: selectors.BaseSelector, connection: socket.socket) -> None:
    try:
        over = not connection.recv(65536)
    except OSError:
        over = True
    if over:
        selector.unregister(connection)


def _send(selector: selectors.BaseSelector, connection: socket.socket) -> None:
    try:
        connection.send(b"x")
    except OSError:
        selector.unregister(connection)


def _readers(server: Server, count: int) -> Row:
    """Clients that request 2 MB and read nothing."""
    before, sockets = open_files(server.process.pid), []
    for _ in range(count):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", int(server.address.split(":")[2].split("/")[0])))
        connection.sendall(b"GET /static/niivue.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        sockets.append(connection)
    began = time.monotonic()
    closed = until(lambda: open_files(server.process.pid) <= before + 5, 300)
    seconds = time.monotonic() - began
    for connection in sockets:
        connection.close()
    result = f"closed after {seconds:.0f} s" if closed else "still open after 300 s"
    expected = "closed at the time-out for answers (30 s)"
    return Row("S3", f"{count} clients that read nothing of 2 MB", expected, result, closed)


def _half_closed(server: Server, count: int) -> Row:
    """Clients that close their side after a whole request; the server may answer or close."""
    sockets = []
    for _ in range(count):
        connection = _connected(server, "GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        sockets.append(connection)
    seconds = _until_closed(sockets, 0, time.monotonic())
    result = f"all closed after {seconds:.1f} s"
    return Row("S3", f"{count} half-closed connections", "closed at once", result, seconds < 10)


def _aborted(server: Server, megabytes: int) -> Row:
    """Uploads that break off after each 64 kB, by turns with a reset and with an orderly end."""
    upload = server.client.post("/uploads").json()["id"]
    folder, size = server.data / "uploads" / upload, megabytes * 2**20
    auth = server.client.headers["authorization"]
    head = (
        f"PUT /api/v1/uploads/{upload}/files/0?name=a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: {auth}\r\nContent-Length: {size}\r\n\r\n"
    )
    points = range(0, size, _STEP)
    for number, point in enumerate(points):
        connection = _connected(server, head)
        connection.sendall(b"x" * point)
        if number % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.close()
    empty: Callable[[], bool] = lambda: not any(folder.iterdir())  # noqa: E731
    closed = until(empty, 20)
    whole = server.client.put(
        f"/uploads/{upload}/files/0", params={"name": "a"}, content=b"x" * size
    )
    server.client.delete(f"/uploads/{upload}")
    result = (
        f"{len(points)} aborted, {'no file' if closed else 'files'} left; "
        f"the same file again: {whole.status_code}"
    )
    good = closed and whole.status_code == 200
    return Row("S3", "uploads aborted after every 64 kB", "nothing is left", result, good)


if __name__ == "__main__":
    run(__doc__, measure, sockets=500, half_open=300, readers=200, megabytes=4)
