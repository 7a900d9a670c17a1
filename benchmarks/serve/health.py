"""Response times of ``GET /health`` while a server works."""

from __future__ import annotations

import statistics
import time

from httpx2 import Client, HTTPError

from benchmarks.serve.background import Background


class Health(Background):
    """Requests ``GET /health`` in a thread until the end of the context.

    Args:
        base: address of the API.
        every_s: seconds between two requests.

    Attributes:
        seconds: response time of each answer.
        failures: requests without a good answer.
    """

    def __init__(self, base: str, every_s: float = 0.05) -> None:
        super().__init__(every_s)
        self.base = base
        self.seconds: list[float] = []
        self.failures = 0

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

    def run(self) -> None:
        """See ``Background``."""
        with Client(base_url=self.base, timeout=30) as client:
            for _ in self.turns():
                began = time.perf_counter()
                try:
                    good = client.get("/health").status_code == 200
                except HTTPError:
                    good = False
                if good:
                    self.seconds.append(time.perf_counter() - began)
                else:
                    self.failures += 1
