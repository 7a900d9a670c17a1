"""Peak rates of the CPUs: arithmetic and memory bandwidth.

A large product of matrices is the most arithmetic per byte, a copy the most bytes per arithmetic
(the roofline model, Williams et al., CACM 2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import torch

from gliomask.speed.timing import ReadClock, RunTimes, time_runs

_SIDE: Final = 2048
_BYTES: Final = 2**28
"""Copied bytes, 256 MiB: far more than any cache."""


@dataclass(frozen=True)
class Peak:
    """Measured peak rates of the CPUs.

    Attributes:
        gflops: 10^9 floating point operations a second in a single-precision product of two
            matrices of 2048 x 2048; the best run.
        copy_gb_s: 10^9 bytes a second that are copied, read and write counted once; the best run.
        threads: number of threads.
        product, copy: the runs.
    """

    gflops: float
    copy_gb_s: float
    threads: int
    product: RunTimes
    copy: RunTimes


def measure_peak(share: float, clock: ReadClock) -> Peak:
    """Measures on as many threads as torch has.

    Args:
        share: seconds for both together.
        clock: clock of the measurement.
    """
    matrix = torch.rand(_SIDE, _SIDE)
    product = time_runs(
        partial(torch.mm, matrix, matrix, out=torch.empty_like(matrix)), share, clock
    )
    source = torch.ones(_BYTES, dtype=torch.uint8)
    copy = time_runs(partial(torch.empty_like(source).copy_, source), share / 2, clock)
    return Peak(
        gflops=2 * _SIDE**3 / product.best / 1e9,
        copy_gb_s=_BYTES / copy.best / 1e9,
        threads=torch.get_num_threads(),
        product=product,
        copy=copy,
    )
