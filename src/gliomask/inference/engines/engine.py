"""Interface of inference engines: numpy arrays in, numpy arrays out.

PyTorch is the reference implementation; tests also use an engine without a network.
"""

from __future__ import annotations

import os
from typing import Protocol

from gliomask.config.choices import Device as Device
from gliomask.core.volume import FloatArray
from gliomask.machine.processors import read_processors


class Engine(Protocol):
    """Interface of inference engines.

    Attributes:
        name: for the provenance, e.g. ``torch 2.13 on cpu``.
        batch: preferred number of inputs per call, which determines the memory.
    """

    @property
    def name(self) -> str: ...

    @property
    def batch(self) -> int: ...

    def logits(self, inputs: FloatArray) -> FloatArray:
        """(N, C, H, W) float32 to logits (N, R, H, W) float32, each input on its own.

        Raises:
            MachineError: it does not fit in memory.
        """

    def maps(self, inputs: FloatArray) -> FloatArray:
        """Logits of all maps: (N, 7, R, H, W), the fused map first, then the side maps.

        The six others follow from the finest stage to the deepest. All seven cost little more
        than the first alone, for a network makes them on its way.
        """


def usable_threads() -> int:
    """Threads that a runtime should use: OMP_NUM_THREADS if it is set, else the processors that
    this process may run on, within its container's limit."""
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal() and int(threads) > 0:
        return int(threads)
    return read_processors().usable
