"""A server in a process of its own, as people start it, and a client of it, for tests."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from httpx2 import Client

START_S = 120.0


class Server:
    """A ``gliomask serve`` in a folder.

    Args:
        data: its data folder; words: further words of the command.
    """

    def __init__(self, data: Path, *words: str) -> None:
        self.data, self.words, self.log = data, words, data.with_name(f"{data.name}.log")
        self.start()

    def start(self) -> None:
        """Starts it, and waits for the address that it prints."""
        command = [sys.executable, "-m", "gliomask", "serve", "--data", str(self.data)]
        limits = ["--limit", "free_bytes=0", "--limit", "free_share=0"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", "0", *limits, *self.words],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("open http://127.0.0.1:"), self.log.read_text()
        self.address = line.removeprefix("open ").strip()
        base, _, token = self.address.partition("/?token=")
        self.client = Client(
            base_url=f"{base}/api/v1", headers={"authorization": f"Bearer {token}"}, timeout=90
        )

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Ends the server process alone; its code."""
        self.process.send_signal(number)
        self.client.close()
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def workers(self) -> list[int]:
        """The ids of its worker processes (Linux)."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
                words = (place / "cmdline").read_bytes()
                if parent == self.process.pid and b"spawn_main" in words:
                    found.append(int(place.name))
        return found

    def upload(self, folder: Path) -> str:
        """Uploads a folder with all that is in it; the id of the upload."""
        made: str = self.client.post("/uploads").json()["id"]
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        for number, path in enumerate(paths):
            name = path.relative_to(folder.parent).as_posix()
            answer = self.client.put(
                f"/uploads/{made}/files/{number}", params={"name": name}, content=path.read_bytes()
            )
            assert answer.status_code == 200, answer.text
        return made

    def submit(self, upload: str, kind: str = "predict", **options: Any) -> str:
        """Asks for a job; its id."""
        body = {"upload": upload, "kind": kind, "options": options}
        answer = self.client.post("/jobs", json=body)
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    def ended(self, job: str, seconds: float = 120.0) -> dict[str, Any]:
        """A job once it has ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found: dict[str, Any] = self.client.get(f"/jobs/{job}", params={"wait": 10}).json()
            if found["state"] not in ("queued", "running"):
                return found
        raise AssertionError(f"not ended: {json.dumps(found)}\n{self.log.read_text()}")


@contextmanager
def served(data: Path, *words: str) -> Iterator[Server]:
    """A server, and no process of it afterwards."""
    server = Server(data, *words)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill(signal.SIGTERM)
