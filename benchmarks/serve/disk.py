"""A disk that fills up and a model that vanishes under a running server. Needs root, for a tmpfs.

python -m benchmarks.serve.disk [--rounds 10]
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.serve.rows import Row, report, run
from benchmarks.serve.studies import small
from benchmarks.serve.work import QUICK, until
from benchmarks.tables import Report
from gliomask.config.shipped import find_model
from tests.web.live import Server, served


def measure(options: argparse.Namespace, place: Path) -> Report:
    """Both faults, so many times each, without starting the server again."""
    study, model = small(place / "scans"), place / "model"
    shutil.copytree(find_model(), model)
    with _tmpfs(place / "disk", "64m"), served(place / "disk" / "data", "--model", model) as server:
        server.ended(server.submit(server.upload(study), **QUICK), 600)
        full = [_full(server, study, place / "disk" / "filler") for _ in range(options.rounds)]
        removed = [_gone(server, study, model) for _ in range(options.rounds)]
        log = server.log.read_text()
    expected = "503 with Retry-After; accepted again afterwards, without a restart"
    rows = [
        _row("disk full (tmpfs of 64 MB)", expected, full),
        _row("model removed, worker killed", f"{expected}; /ready is 503", removed),
    ]
    bugs = sum("bug of gliomask" in line for line in log.splitlines())
    rows.append(Row("S11", "the same", "no bug in the log", f"{bugs} lines", not bugs))
    return report("disk and model", rows)


@contextmanager
def _tmpfs(place: Path, size: str) -> Iterator[None]:
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def _full(server: Server, study: Path, filler: Path) -> tuple[tuple[int, ...], str]:
    """Status codes while the disk is full, and the state of a job afterwards."""
    upload = server.upload(study)
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    put = {"params": {"name": "b"}, "content": b"x" * 2**20}
    answers = [
        server.client.put(f"/uploads/{upload}/files/9", **put),
        server.client.post("/jobs", json={"upload": upload, "options": QUICK}),
        server.client.post("/uploads"),
        server.client.get("/health"),
    ]
    filler.unlink()
    codes = tuple(
        answer.status_code if answer.status_code < 500 or "retry-after" in answer.headers else 500
        for answer in answers
    )
    return codes, _accepted(server, study, upload)


def _gone(server: Server, study: Path, model: Path) -> tuple[tuple[int, ...], str]:
    """The same without the model; the codes are those of ``/ready`` and of a new job."""
    upload = server.upload(study)
    away = model.rename(model.with_name("away"))
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
    body = {"upload": upload, "options": QUICK}
    until(lambda: server.client.get("/ready").status_code == 503, 120)
    codes = (
        server.client.get("/ready").status_code,
        server.client.post("/jobs", json=body).status_code,
        server.client.get("/health").status_code,
    )
    away.rename(model)
    until(lambda: server.client.get("/ready").status_code == 200, 120)
    return codes, _accepted(server, study, upload)


def _accepted(server: Server, study: Path, refused: str) -> str:
    """State of the next job; the upload of the refused one is deleted, for it counts as open."""
    server.client.delete(f"/uploads/{refused}")
    job = server.ended(server.submit(server.upload(study), **QUICK), 600)
    for other in server.client.get("/jobs", params={"limit": 200}).json():
        ended = server.ended(other["id"], 600)
        if ended["state"] == "done":
            server.client.delete(f"/jobs/{other['id']}/files")
    return str(job["state"])


def _row(fault: str, expected: str, outcomes: list[tuple[tuple[int, ...], str]]) -> Row:
    counts = Counter(outcomes)
    result = "; ".join(
        f"{count} times {', '.join(map(str, codes))}, the next job: {state}"
        for (codes, state), count in counts.items()
    )
    good = all(codes[-1] == 200 and set(codes[:-1]) <= {503} for codes, _ in counts)
    good = good and all(state == "done" for _, state in counts)
    return Row("S11", fault, expected, result, good)


if __name__ == "__main__":
    run(__doc__, measure, rounds=10)
