"""Response times of ``GET /health`` while a server works."""

from __future__ import annotations

import statistics
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from httpx2 import Client, HTTPError

_PATIENCE_S = 60.0


class Health:
    """Requests ``GET /health`` in a separate process until the end of the context.

    In a thread of the clients that load the server, it would measure these clients too.

    Args:
        base: address of the API.
        every_s: seconds between two requests.

    Attributes:
        seconds: response time of each answer, after the context.
        failures: requests without a good answer.
    """

    def __init__(self, base: str, every_s: float = 0.05) -> None:
        context = get_context("spawn")
        self._channel, remote = context.Pipe()
        self._process = context.Process(target=_ask, args=(base, every_s, remote), daemon=True)
        self.seconds: list[float] = []
        self.failures = 0

    def __enter__(self) -> Self:
        self._process.start()
        self._channel.recv()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._channel.send(None)
        self.seconds, self.failures = self._channel.recv()
        self._process.join(_PATIENCE_S)

    def quantile_ms(self, share: float) -> float:
        """A quantile of the answers' times in ms; NaN without any."""
        if not self.seconds:
            return float("nan")
        every = sorted(self.seconds)
        return 1000 * every[min(len(every) - 1, int(share * len(every)))]

    @property
    def text(self) -> str:
        """The figures in a line."""
        middle = 1000 * statistics.median(self.seconds) if self.seconds else float("nan")
        return (
            f"/health: {len(self.seconds)} answers, median {middle:.0f} ms, "
            f"p99 {self.quantile_ms(0.99):.0f} ms, max {self.quantile_ms(1):.0f} ms, "
            f"{self.failures} failed"
        )


def _ask(base: str, every_s: float, channel: Connection) -> None:
    seconds, failures = [], 0
    with Client(base_url=base, timeout=30) as client:
        channel.send("started")
        while not channel.poll(every_s):
            began = time.perf_counter()
            try:
                good = client.get("/health").status_code == 200
            except HTTPError:
                good = False
            if good:
                seconds.append(time.perf_counter() - began)
            else:
                failures += 1
    channel.send((seconds, failures))
