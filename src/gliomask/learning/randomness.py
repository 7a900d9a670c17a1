"""Random number generators of a training, all derived from one seed.

A stream is a pure function of the recipe's seed, its purpose, and its place in the training. No
generator keeps a state between batches, so samples do not depend on the number of processes, on the
number of devices, or on a resume.
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
    """Generator for a purpose and a place, e.g. ``(epoch, index in the epoch)``.

    The place is the spawn key and not part of the seed, where trailing zeros would be ignored: (3,)
    and (3, 0) would be the same stream.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, *where)))
