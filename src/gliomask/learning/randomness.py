"""Random number generators of a training, all derived from one seed.

A stream is a pure function of the recipe's seed, of what it is for, and of where in the training
it is used. There is no generator whose state goes on from batch to batch: so a sample's fate does
not depend on the number of processes that read, on the number of devices, or on a resume.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """Purpose of a random stream; two purposes never share a stream."""

    PLAN = 0
    SAMPLE = 1
    WEIGHTS = 2
    VALIDATION = 3


def stream(seed: int, purpose: Purpose, *where: int) -> np.random.Generator:
    """The generator of one purpose at one place, e.g. ``(epoch, index in the epoch)``.

    The place goes in as the spawn key and not beside the seed, because there trailing zeros
    would be lost: (3,) and (3, 0) would be one stream.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, *where)))
