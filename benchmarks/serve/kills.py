"""Server and workers killed (signal 9) at random moments, during jobs and corrections.

    python -m benchmarks.serve.kills [--kills 100] [--minutes 600]

So many kills of the server and so many of a worker, or as many as fit into the time. Every job that
was accepted must end, with the same mask; every correction that was confirmed must be there, and
all that are there must be whole.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from httpx2 import HTTPError

from benchmarks.serve.processes import command, descendants
from benchmarks.serve.rows import Row, report, run
from benchmarks.serve.studies import small
from benchmarks.serve.work import QUICK, Corrector, Submitter, until
from benchmarks.tables import Report
from tests.web.live import Server, served

_LIMITS = ("tries=10", "corrections=5000", "open_uploads=1000", "queued_jobs_per_owner=100")


def measure(options: argparse.Namespace, place: Path) -> Report:
    """Kills processes, then verifies everything that was accepted."""
    words = [word for limit in _LIMITS for word in ("--limit", limit)]
    study, orphans = small(place / "scans"), list[int]()
    with served(place / "data", *words) as server:
        first = server.ended(server.submit(server.upload(study), **QUICK), 600)["id"]
        with Submitter(server, study) as jobs, Corrector(server, first) as corrections:
            kills = _kill(server, options, orphans, jobs)
        rows = [_jobs(server, jobs, kills), _corrections(server, corrections)]
        until(lambda: not any(map(command, orphans)), 30)
        left = [pid for pid in orphans if "spawn_main" in command(pid)]
        files = _leftovers(server.data)
    words = [sys.executable, "-m", "gliomask", "serve", "audit", "--data", str(place / "data")]
    audit = subprocess.run(words, capture_output=True, check=False)
    result = f"{len(left)} processes, {len(files)} files; audit log: exit code {audit.returncode}"
    good = not left and not files and audit.returncode == 0
    rows.append(Row("S10", "the same", "no process and no partial file is left", result, good))
    return report("kills", rows, files[:10])


def _kill(
    server: Server, options: argparse.Namespace, orphans: list[int], jobs: Submitter
) -> Counter[str]:
    """Kills the server and a worker by turns; how often each. Adds what the server leaves behind.

    Four of five kills wait until the workers are ready, and one of ten until another job has ended,
    or a slow machine would only ever start.
    """
    end, kills = time.monotonic() + 60 * options.minutes, Counter[str]()
    for number in range(2 * options.kills):
        if number % 5:
            until(lambda: _ready(server), 120)
        time.sleep(random.Random(number).uniform(0, options.seconds))
        if time.monotonic() > end:
            break
        if number % 2:
            orphans += _kill_server(server)
            kills["the server"] += 1
        else:
            kills["a worker"] += _kill_worker(server, number)
        if number % 10 == 9:
            before = len(jobs.accepted)
            until(lambda: len(jobs.accepted) > before, 300)  # noqa: B023 (called at once)
            print(f"{number + 1} kills, {len(jobs.accepted)} jobs", file=sys.stderr)
    return kills


def _ready(server: Server) -> bool:
    with suppress(HTTPError):
        return server.client.get("/ready").status_code == 200
    return False


def _kill_server(server: Server) -> list[int]:
    """Kills it and starts it again; the processes that it had."""
    had = descendants(server.process.pid)
    server.kill()
    server.start()
    return had


def _kill_worker(server: Server, number: int) -> bool:
    """Kills one of the workers; whether there was one."""
    workers = server.workers()
    with suppress(ProcessLookupError, IndexError):
        os.kill(random.Random(number).choice(workers), signal.SIGKILL)
        return True
    return False


def _jobs(server: Server, jobs: Submitter, kills: Counter[str]) -> Row:
    ended = [server.ended(job, 900) for job in jobs.accepted]
    done = [job for job in ended if job["state"] == "done"]
    reasons = sorted({str(job["error"]) for job in ended if job["state"] == "failed"})
    masks = {server.client.get(f"/jobs/{job['id']}/files/mask").content for job in done}
    result = (
        f"{len(jobs.accepted)} jobs accepted, {len(done)} done with {len(masks)} different "
        f"mask(s), {len(ended) - len(done)} failed {'; '.join(reasons)}; "
        f"{jobs.interrupted} requests interrupted"
    )
    fault = ", ".join(f"{n} kills of {what}" for what, n in kills.items()) + "; jobs at work"
    expected = "every accepted job ends, once, with the same mask"
    good = len(masks) == 1 and all(job["state"] in ("done", "failed") for job in ended)
    return Row("S10, A8", fault, expected, result, good)


def _corrections(server: Server, corrections: Corrector) -> Row:
    wrong = corrections.faults()
    result = (
        f"{len(corrections.sent)} sent, {len(corrections.stored)} confirmed, none lost"
        if not wrong
        else f"{len(wrong)} faults: {'; '.join(wrong[:5])}"
    )
    refused = "; ".join(f"{n} x {text}" for text, n in corrections.refused.most_common(3))
    result += f"; refused: {refused or 'none'}; {corrections.interrupted} requests interrupted"
    expected = "a correction is there whole or not at all; the network's mask is unchanged"
    return Row("A8", "the same, corrections being saved", expected, result, not wrong)


def _leftovers(data: Path) -> list[str]:
    """Partial files, folders of unknown corrections, uploads of jobs that have ended."""
    partial = [path for path in data.rglob("*") if path.name.startswith(".writing-")]
    return [str(path.relative_to(data)) for path in (*partial, *(data / "tmp").iterdir())]


if __name__ == "__main__":
    run(__doc__, measure, kills=100, seconds=10.0, minutes=600.0)
