"""Servers and workers killed at random moments: every job that was accepted ends, once."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import head_volume, write_head
from tests.web.live import served

QUICK: dict[str, Any] = {"uncertainty": False, "write": ["nifti"]}
KILLS = 100


def kill_at_random(folder: Path, kills: int, seed: int = 0) -> None:
    """Kills the server at every second moment, a worker at the others, and looks at every job."""
    chance, jobs = random.Random(seed), list[str]()
    head = write_head(folder / "scans", "case1", head_volume())
    # A worker that is killed at random may be that of the same job more than twice.
    limits = ("tries=10", "queued_jobs_per_owner=100", "open_uploads=100")
    words = [word for limit in limits for word in ("--limit", limit)]
    with served(folder / "data", *words) as one:
        for kill in range(kills):
            jobs += [one.submit(one.upload(head), **QUICK) for _ in range(kill % 2)]
            time.sleep(chance.uniform(0, 4))
            if kill % 2:
                one.kill()
                one.start()
            elif workers := one.workers():
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(workers), signal.SIGKILL)
            if kill % 10 == 9:  # or a slow machine would never finish anything
                one.ended(jobs[-1], 600)
        ended = [one.ended(job, 600) for job in jobs]
        assert [job["state"] for job in ended] == ["done"] * len(jobs)
        masks = {one.client.get(f"/jobs/{job}/files/mask").content for job in jobs}
        assert len(masks) == 1
        found = one.client.get("/jobs", params={"limit": 200}).json()
        assert sorted(job["id"] for job in found) == sorted(jobs)
        assert len(list((one.data / "jobs").iterdir())) == len(jobs)
        assert [path for path in one.data.rglob("*") if path.name.startswith(".writing-")] == []
        assert list((one.data / "uploads").iterdir()) == []


@pytest.mark.slow
def test_nothing_is_lost(tmp_path: Path) -> None:
    kill_at_random(tmp_path, KILLS)
