"""Slices on their way through the network, some of them mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gliomask.core.slices import SliceStack
from gliomask.core.volume import FloatArray


@dataclass(frozen=True, eq=False)
class Turn:
    """Slices that go through the network as their mirror images.

    Attributes:
        axis: -2 (rows) or -1 (columns).
        which: (N,) bool.
    """

    axis: int
    which: npt.NDArray[np.bool_]

    def __call__(self, maps: FloatArray) -> FloatArray:
        """(N, ..., H, W) with these slices mirrored; a second time mirrors them back."""
        turned = maps.copy()
        turned[self.which] = np.flip(maps[self.which], self.axis)
        return turned

    def others(self) -> Turn:
        """The slices that are not mirrored here."""
        return Turn(self.axis, ~self.which)


@dataclass(frozen=True, eq=False)
class SliceBatch:
    """Slices for the network.

    Attributes:
        at: (N,) their positions in the stack.
        fitted: (N, U, size, size) their sequences on the network's grid.
        turn: those that go through the network mirrored.
    """

    at: npt.NDArray[np.intp]
    fitted: FloatArray
    turn: Turn | None = None

    def some(self, which: npt.NDArray[np.intp]) -> SliceBatch:
        """Some of the slices."""
        turn = None if self.turn is None else Turn(self.turn.axis, self.turn.which[which])
        return SliceBatch(self.at[which], self.fitted[which], turn)

    def mirrored(self, axis: int) -> SliceBatch:
        """The slices mirrored along an axis; those that were already are not any more."""
        if self.turn is not None and self.turn.axis == axis:
            return replace(self, turn=self.turn.others())
        return replace(self, turn=Turn(axis, np.ones(len(self.at), bool)))


def shows_something(stack: SliceStack, sequences: Sequence[int]) -> npt.NDArray[np.bool_]:
    """(S,) bool: whether any of these sequences (their indices) varies within a slice.

    Above and below the head a skull-stripped volume has one value throughout.
    """
    array = stack.array
    varies = np.zeros(len(array), bool)
    for k in sequences:
        varies |= array[:, k].max(axis=(1, 2)) > array[:, k].min(axis=(1, 2))
    return varies
