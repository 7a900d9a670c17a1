"""A segmentation by a server, in a thread that never touches the scene."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from .client import Client, ServerError

RUNNING, DONE, FAILED, CANCELLED = "running", "done", "failed", "cancelled"
_WAIT_S = 2.0
_SENT = 0.2
"""The share of the whole that sending counts for."""


class Task:
    """A segmentation.

    Args:
        client: of the server.
        model: name of the model; volumes: sequence -> file.
        mask: where the mask is written, as NRRD.

    Attributes:
        state: ``running``, ``done``, ``failed`` or ``cancelled``.
        share: how far it is, from 0 to 1; note: a line for people.
        result: of the server, once it is done.
    """

    def __init__(self, client: Client, model: str, volumes: dict[str, str], mask: str) -> None:
        self._client, self._model, self._volumes, self._mask = client, model, volumes, mask
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.state, self.share, self.note = RUNNING, 0.0, ""
        self.result: dict[str, Any] = {}

    def start(self) -> None:
        """Begins it."""
        self._thread.start()

    def cancel(self) -> None:
        """Asks for its end; ``state`` says when that has come."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Waits for its end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        upload = ""
        try:
            upload = self._client.begin_upload()
            numbers = self._send(upload)
            if self._stop.is_set():
                self._end(CANCELLED, "cancelled")
                return
            options = {"model": self._model, "sequences": numbers, "write": ["nrrd"]}
            self._follow(self._client.submit(upload, options))
        except (ServerError, OSError) as problem:
            self._end(FAILED, str(problem))
        finally:
            if upload and self.state != DONE:
                with contextlib.suppress(ServerError):  # it expires by itself
                    self._client.delete_upload(upload)

    def _send(self, upload: str) -> dict[str, int]:
        """Sends the volumes; sequence -> number of its file."""
        numbers = {}
        for number, (sequence, path) in enumerate(self._volumes.items()):
            if self._stop.is_set():
                break
            self.note = f"sending {sequence}"
            self._client.send(upload, number, path)
            numbers[sequence] = number
            self.share = _SENT * (number + 1) / len(self._volumes)
        return numbers

    def _follow(self, job: str) -> None:
        """Waits for the end of a job."""
        asked = False
        while True:
            if self._stop.is_set() and not asked:
                self._client.cancel(job)
                asked = True
            found = self._client.job(job, 0.5 if asked else _WAIT_S)
            if found["state"] not in ("queued", "running"):
                break
            place = found["place"]
            waiting = f"waiting, {place} before it" if place else "waiting"
            self.note = waiting if found["state"] == "queued" else found["note"]
            self.share = _SENT + (1 - _SENT) * found["progress"]
        if found["state"] == "done":
            self._client.download(job, "mask", self._mask)
            self.result = found["result"]
            self._end(DONE, "done")
        elif found["state"] == "failed":
            self._end(FAILED, found["error"]["text"])
        else:
            self._end(CANCELLED, "cancelled")

    def _end(self, state: str, note: str) -> None:
        self.note, self.share = note, 1.0
        self.state = state  # last: who sees it finds the rest in place
