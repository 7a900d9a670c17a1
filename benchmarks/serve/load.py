"""Many uploads at once, with jobs at work.

    python -m benchmarks.serve.load [--uploads 200] [--megabytes 30] [--workers 4]

Ten users send their files in parallel and repeat temporary refusals (429, 503). They have a lower
priority than the server, because clients on other machines would not use its processor.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from httpx2 import Client

from benchmarks.serve.health import Health
from benchmarks.serve.processes import Peaks
from benchmarks.serve.rows import Row, report, run
from benchmarks.serve.studies import small
from benchmarks.serve.work import QUICK, until
from benchmarks.tables import Report
from tests.web.live import Server, served

_MB = 10**6
_USERS = 10


def measure(options: argparse.Namespace, place: Path) -> Report:
    """The uploads, while as many jobs as there are workers are at work."""
    words = ["--workers", str(options.workers), "--limit", "upload_hours=0.05"]
    with served(place / "data", *words) as server:
        study = small(place / "scans")
        ready = until(lambda: server.client.get("/ready").status_code == 200, 300)
        content = os.urandom(options.megabytes * _MB)
        tokens = [_token(server, f"user{n}") for n in range(_USERS)]
        with Peaks(server.process.pid) as peaks, Health(str(server.client.base_url)) as health:
            os.nice(10)
            jobs = [server.submit(server.upload(study), **QUICK) for _ in range(options.workers)]
            with ThreadPoolExecutor(options.uploads) as pool:
                sending = [
                    pool.submit(_send, server, tokens[n % _USERS], content)
                    for n in range(options.uploads)
                ]
                outcomes = [future.result() for future in sending]
            states = Counter(server.ended(job, 1200)["state"] for job in jobs)
        rows = [
            _uploads(options, outcomes, hashlib.sha256(content).hexdigest()),
            _memory(peaks),
            _health(options, health, ready, states),
        ]
        print(*rows, sep="\n", file=sys.stderr)
        uploads = server.data / "uploads"
        expired = until(lambda: not any(uploads.iterdir()), 400)
        result = "no upload is left" if expired else "uploads are left after 400 s"
        rows.append(Row("S1", "the same", "the disk is back after expiry", result, expired))
    return report("load", rows)


def _token(server: Server, owner: str) -> str:
    words = [sys.executable, "-m", "gliomask", "serve", "token", "create", owner]
    words += ["--data", str(server.data)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def _send(server: Server, token: str, content: bytes) -> tuple[str, tuple[int, ...]]:
    """SHA-256 of an upload in the server's response, and the codes of all refusals before it."""
    refused = []
    base, auth = str(server.client.base_url), {"authorization": f"Bearer {token}"}
    with Client(base_url=base, headers=auth, timeout=600) as client:
        upload = ""
        for _ in range(50):
            answer = (
                client.put(f"/uploads/{upload}/files/0", params={"name": "a"}, content=content)
                if upload
                else client.post("/uploads")
            )
            if answer.status_code in (429, 503):
                refused.append(answer.status_code if "retry-after" in answer.headers else 500)
                time.sleep(min(5, int(answer.headers.get("retry-after", 1))))
            elif upload:
                return answer.json().get("sha256", str(answer.status_code)), tuple(refused)
            elif answer.status_code != 201:
                return str(answer.status_code), tuple(refused)
            else:
                upload = answer.json()["id"]
    return str(answer.status_code), tuple(refused)


def _uploads(
    options: argparse.Namespace, outcomes: list[tuple[str, tuple[int, ...]]], digest: str
) -> Row:
    stored = sum(sha256 == digest for sha256, _ in outcomes)
    others = sorted({sha256 for sha256, _ in outcomes if sha256 != digest})
    refused = Counter(code for _, codes in outcomes for code in codes)
    result = f"{stored} stored with the right SHA-256, others: {', '.join(others) or 'none'}; "
    result += f"refused before that: {dict(refused) or 'none'}"
    fault = f"{options.uploads} parallel uploads of {options.megabytes} MB by {_USERS} users"
    expected = "all accepted, or 429 or 503 with Retry-After; none lost"
    good = stored == options.uploads and set(refused) <= {429, 503}
    return Row("S1", fault, expected, result, good)


def _memory(peaks: Peaks) -> Row:
    server = peaks.peaks[peaks.root] / _MB
    result = f"{server:.0f} MB; largest worker {peaks.of('spawn_main') / _MB:.0f} MB"
    return Row("S1", "the same", "server process < 150 MB, worker < 500 MB", result, server < 150)


def _health(options: argparse.Namespace, health: Health, ready: bool, states: Counter[str]) -> Row:
    fault = f"the same, {options.workers} jobs at work ({dict(states)})"
    good = ready and health.quantile_ms(0.99) < 200 and not health.failures
    return Row("S1", fault, "p99 of /health < 200 ms", health.text, good)


if __name__ == "__main__":
    run(__doc__, measure, uploads=200, megabytes=30, workers=4)
