"""How fast the server says that it is alive, asked again and again from a thread."""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from httpx2 import Client, HTTPError


@dataclass
class Health:
    """Asks ``GET /health`` in a thread until the end of the context.

    Attributes:
        base: address of the API; every_s: seconds between two requests.
        seconds: of each answer; failures: requests without a good answer.
    """

    base: str
    every_s: float = 0.05
    seconds: list[float] = field(default_factory=list)
    failures: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

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

    def _ask(self) -> None:
        with Client(base_url=self.base, timeout=30) as client:
            while not self._ended.wait(self.every_s):
                began = time.perf_counter()
                try:
                    good = client.get("/health").status_code == 200
                except HTTPError:
                    good = False
                if good:
                    self.seconds.append(time.perf_counter() - began)
                else:
                    self.failures += 1
