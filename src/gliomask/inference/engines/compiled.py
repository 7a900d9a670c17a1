"""Common part of compiled engines: one input per thread, several threads at a time.

A runtime that splits one input over all processors makes its threads wait for each other after
every layer, 119 times an input. On a quiet machine that costs little. On one that does other work
too, each wait lasts until the slowest thread gets its turn: with both processors taken, prediction
took eight times as long. Inputs that share nothing don't wait, and one at a time stays in a
processor's cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Final, Protocol

import numpy as np

from gliomask.core.volume import FloatArray
from gliomask.nets.graph import LOGITS, MAPS

_AHEAD: Final = 4
"""Number of inputs per thread in a batch, so that no thread waits long for the last one."""


class CompiledNetwork(Protocol):
    """A network that one thread at a time can run.

    It gives the output of that name for one image (1, C, H, W) float32, in memory of its own, and
    lets other threads of Python work in the meantime.
    """

    def __call__(self, image: FloatArray, output: str) -> FloatArray: ...


class CompiledEngine:
    """An engine of several runners of the same network.

    Args:
        name: of the runtime, with its version.
        runners: one for each thread.
    """

    def __init__(self, name: str, runners: Sequence[CompiledNetwork]) -> None:
        self._runtime, self._threads = name, len(runners)
        self._free: SimpleQueue[CompiledNetwork] = SimpleQueue()
        for runner in runners:
            self._free.put(runner)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="engine")

    @property
    def name(self) -> str:
        threads = "1 thread" if self._threads == 1 else f"{self._threads} threads"
        return f"{self._runtime} on cpu, {threads}"

    @property
    def batch(self) -> int:
        return _AHEAD * self._threads

    def logits(self, inputs: FloatArray) -> FloatArray:
        """See ``Engine.logits``."""
        return self._run(inputs, LOGITS)

    def maps(self, inputs: FloatArray) -> FloatArray:
        """See ``Engine.maps``."""
        return self._run(inputs, MAPS)

    def _run(self, inputs: FloatArray, output: str) -> FloatArray:
        def one(image: FloatArray) -> FloatArray:
            runner = self._free.get()
            try:
                return runner(np.ascontiguousarray(image[None]), output)
            finally:
                self._free.put(runner)

        return np.concatenate(list(self._pool.map(one, inputs)))
