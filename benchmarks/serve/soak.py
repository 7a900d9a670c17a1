"""Good and bad requests for a long time: memory, open files and server errors.

python -m benchmarks.serve.soak [--minutes 20] [--rate 2]
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from httpx2 import HTTPError

from benchmarks.serve.health import Health
from benchmarks.serve.processes import open_files, rss
from benchmarks.serve.rows import Row, report, run
from benchmarks.serve.studies import broken, small
from benchmarks.serve.work import QUICK
from benchmarks.tables import Report
from tests.web.live import Server, served

_MB = 1e6
_SETTLED_S = 120.0
"""Before that a server still loads what its first requests need."""


def measure(options: argparse.Namespace, place: Path) -> Report:
    """Requests at a rate; the slope is of a line through the samples after the first minutes."""
    samples: list[tuple[float, int, int]] = []
    codes: Counter[int] = Counter()
    with served(place / "data", "--limit", "result_hours=0.02") as server:
        kinds = itertools.cycle(_requests(server, small(place / "a"), broken(place / "b")))
        began = time.monotonic()
        with Health(str(server.client.base_url), 1.0) as health:
            while (passed := time.monotonic() - began) < 60 * options.minutes:
                try:
                    codes[next(kinds)()] += 1
                except HTTPError:
                    codes[0] += 1
                pid = server.process.pid
                samples.append((passed, rss(pid), open_files(pid)))
                time.sleep(max(0.0, 1 / options.rate - (time.monotonic() - began - passed)))
    return report("soak", _rows(options, samples, codes, health))


def _requests(server: Server, good: Path, bad: Path) -> list[Callable[[], int]]:
    """Requests in turn; of twenty, one is a good job and one a bad job."""

    def code(method: str, path: str, **more: object) -> Callable[[], int]:
        return lambda: server.client.request(method, path, **more).status_code

    def job(study: Path) -> int:
        upload = server.client.post("/uploads")
        if upload.status_code != 201:
            return upload.status_code
        made = upload.json()["id"]
        for number, path in enumerate(sorted(study.iterdir())):
            name = {"name": f"{study.name}/{path.name}"}
            file = f"/uploads/{made}/files/{number}"
            server.client.put(file, params=name, content=path.read_bytes())
        body = {"upload": made, "options": QUICK}
        return server.client.post("/jobs", json=body).status_code

    plain = [
        code("GET", "/jobs"),
        code("GET", "/jobs/../../etc/passwd"),
        code("GET", "/models"),
        code("POST", "/jobs", json={"upload": "x"}),
        code("GET", "/metrics"),
        code("POST", "/jobs", content=b"{"),
        code("GET", "/health"),
        code("PUT", "/uploads/x/files/0", params={"name": "../a"}, content=b"1"),
        code("GET", "/jobs", headers={"authorization": "Bearer wrong"}),
    ]
    return [lambda: job(good), *plain, lambda: job(bad), *plain]


def _rows(
    options: argparse.Namespace,
    samples: list[tuple[float, int, int]],
    codes: Counter[int],
    health: Health,
) -> list[Row]:
    settled = [sample for sample in samples if sample[0] >= _SETTLED_S] or samples
    seconds, memory, files = (np.array(column, float) for column in zip(*settled, strict=True))
    slope = 3600 * np.polyfit(seconds, memory, 1)[0] / _MB
    errors = sum(n for code, n in codes.items() if code in (0, 500) or code > 503)
    fault = f"{options.minutes} minutes of good and bad requests, {sum(codes.values())} in all"
    memory_text = (
        f"{memory[0] / _MB:.1f} MB after {seconds[0]:.0f} s, {memory[-1] / _MB:.1f} MB at the end, "
        f"slope {slope:.1f} MB/h; open files {files.min():.0f} to {files.max():.0f}"
    )
    answers = f"{dict(sorted(codes.items()))}; {health.text}"
    return [
        Row("S12", fault, "RSS slope < 5 MB/h, open files constant", memory_text, slope < 5),
        Row("S12", "the same", "no server errors", answers, not errors),
    ]


if __name__ == "__main__":
    run(__doc__, measure, minutes=20.0, rate=2.0)
