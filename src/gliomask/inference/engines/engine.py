"""The seam between prediction and whatever runs the network: numpy in, numpy out.

An engine knows tensors and devices and nothing of patients. PyTorch's is the reference, compiled
runtimes are its siblings, and tests use one that is not a network at all.
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
        batch: how many inputs it likes at once; memory grows with it.
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
        """The same with the side maps: (N, 7, R, H, W), the fused map first.

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
