"""A volume: co-registered MR sequences as an array with an affine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Affine = npt.NDArray[np.float64]

SEQUENCES = ("t1", "t1ce", "t2", "flair")
"""Canonical names of the MR sequences in canonical order (t1ce: T1 after gadolinium)."""
BEST_SHOWN = ("flair", "t2", "t1ce", "t1")
"""The same sorted by how well each shows the whole tumour including oedema, best first."""


@dataclass(frozen=True, eq=False)
class Volume:
    """One or more co-registered sequences on one grid.

    Attributes:
        array: (C, I, J, K) float32, finite; C sequences.
        affine: (4, 4) float64, voxel index (i, j, k) to RAS+ millimetres.
        sequences: C names, see ``SEQUENCES``.
        has_world: False for pictures (TIFF, PNG), whose affine is only a guess of the orientation
            with 1 mm voxels: lengths and volumes in millimetres are not available.
    """

    array: FloatArray
    affine: Affine
    sequences: tuple[str, ...]
    has_world: bool = True

    def __post_init__(self) -> None:
        if self.array.ndim != 4 or len(self.sequences) != self.array.shape[0]:
            raise ValueError(f"{self.array.shape} is not (C, I, J, K) for {self.sequences}")
        if self.affine.shape != (4, 4):
            raise ValueError(f"affine of shape {self.affine.shape}, not (4, 4)")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(I, J, K)."""
        i, j, k = self.array.shape[1:]
        return i, j, k

    def select(self, sequences: tuple[str, ...]) -> Volume:
        """Select these sequences, in this order (KeyError if one is missing)."""
        missing = [name for name in sequences if name not in self.sequences]
        if missing:
            raise KeyError(f"no sequence {missing[0]!r} among {self.sequences}")
        index = [self.sequences.index(name) for name in sequences]
        return replace(self, array=self.array[index], sequences=sequences)


def best_shown(sequences: tuple[str, ...]) -> str:
    """Sequence that shows the whole tumour best; the first if none is known."""
    return next((name for name in BEST_SHOWN if name in sequences), sequences[0])
