"""Two persistent clients: one submits jobs, one corrects a mask, during all faults of the server.

They record what the server has accepted, and verify all of it after the faults.
"""

from __future__ import annotations

import hashlib
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from httpx2 import HTTPError

from benchmarks.serve.background import Background
from benchmarks.serve.memory import drawn
from tests.web.live import Server

QUICK: dict[str, Any] = {"uncertainty": False, "write": ["nifti"]}
_LOST = (HTTPError, RuntimeError, OSError, AssertionError, KeyError, ValueError)
"""Errors of a client whose server is killed, also between two requests."""


class Persistent(Background):
    """Repeats an action in a thread until the end of the context, whatever happens to the server.

    Attributes:
        interrupted: how often the server was lost on the way.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(every_s=0)
        self.server, self.interrupted = server, 0

    @abstractmethod
    def once(self) -> None:
        """The action."""

    def run(self) -> None:
        """See ``Background``."""
        for _ in self.turns():
            try:
                self.once()
            except _LOST:
                self.interrupted += 1
                time.sleep(0.3)


class Submitter(Persistent):
    """Uploads a study and submits its segmentation, a few jobs at a time.

    Attributes:
        accepted: ids of the jobs that were answered with 201.
    """

    def __init__(self, server: Server, study: Path, waiting: int = 3) -> None:
        super().__init__(server)
        self.study, self.waiting, self.accepted = study, waiting, list[str]()

    def once(self) -> None:
        """A job, once fewer than ``waiting`` have not ended."""
        jobs = self.server.client.get("/jobs").json()
        if sum(job["state"] in ("queued", "running") for job in jobs) >= self.waiting:
            time.sleep(0.5)
            return
        self.accepted.append(self.server.submit(self.server.upload(self.study), **QUICK))


class Corrector(Persistent):
    """Draws on the newest mask of a job and saves it.

    Attributes:
        sent: SHA-256 of the voxels of each mask that was sent.
        stored: number -> SHA-256 of the file, of those that were answered with 201.
        refused: other answers, with their number.
    """

    def __init__(self, server: Server, job: str) -> None:
        super().__init__(server)
        self.place, self.base = f"/jobs/{job}", self._get(f"/jobs/{job}/layers/mask")
        self.sent, self.stored = set[str](), dict[int, str]()
        self.refused = Counter[str]()
        self._voxel = 0

    def once(self) -> None:
        """A correction of one voxel more."""
        (case,) = self.server.client.get(f"{self.place}/corrections").json()["cases"]
        current = self._get(f"{self.place}/layers/current")
        self._voxel += 1
        content = drawn(current, 1 + self._voxel % len(case["regions"]), self._voxel)
        self.sent.add(voxels(content))
        answer = self.server.client.put(
            f"{self.place}/correction", params={"base": case["sha256"]}, content=content
        )
        if answer.status_code == 201:
            made = answer.json()
            self.stored[made["number"]] = made["sha256"]
        else:
            self.refused[f"{answer.status_code} {answer.json()['text']}"] += 1
            time.sleep(0.5)

    def faults(self) -> list[str]:
        """Corrections on the server that are lost or incomplete."""
        listed = self.server.client.get(f"{self.place}/corrections").json()["corrections"]
        known = {made["number"]: made["sha256"] for made in listed}
        wrong = [f"{n} lost" for n, digest in self.stored.items() if known.get(n) != digest]
        for number, digest in known.items():
            mask = self._get(f"{self.place}/files/mask-{number}")
            if hashlib.sha256(mask).hexdigest() != digest or voxels(mask) not in self.sent:
                wrong.append(f"{number} is not what was sent")
            record = self.server.client.get(f"{self.place}/files/correction-{number}")
            if record.status_code != 200 or record.json()["sha256"] != digest:
                wrong.append(f"{number} has no record")
        if self._get(f"{self.place}/layers/mask") != self.base:
            wrong.append("the network's mask changed")
        return wrong

    def _get(self, path: str) -> bytes:
        answer = self.server.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.content


def voxels(mask: bytes) -> str:
    """SHA-256 of the voxels of a NIfTI file, regardless of its header."""
    import tempfile

    from gliomask.formats.nifti import read_nifti_labels

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mask.nii.gz"
        path.write_bytes(mask)
        return hashlib.sha256(read_nifti_labels(path)[0].astype("uint8").tobytes("C")).hexdigest()


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Waits for a condition; whether it came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True
