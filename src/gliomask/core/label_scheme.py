"""Label schemes of data sets: mapping of the numbers in a mask file to gliomask's labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.labels import (
    BACKGROUND,
    CAVITY,
    CORE,
    ENHANCING,
    NECROSIS,
    OEDEMA,
    TUMOUR,
    LabelArray,
)
from gliomask.core.regions import REGIONS


@dataclass(frozen=True)
class LabelScheme:
    """Mapping of the numbers of a data set to gliomask's labels.

    Attributes:
        name: display name.
        values: number in the file -> label; 0 is background and may be omitted.
        binary: any number from ``least`` on is ``TUMOUR`` (``values`` is not used).
        least: the smallest number that is tumour if ``binary``.
        only: the unambiguous regions, if not all are.
        ignored: number of unannotated voxels; None if all voxels are annotated.
    """

    name: str
    values: tuple[tuple[int, int], ...] = ()
    binary: bool = False
    least: int = 1
    only: tuple[str, ...] = ()
    ignored: int | None = None

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that masks of this scheme contain in full.

        A mask of the enhancing part alone says nothing of the core or the whole tumour, because
        necrosis and oedema have no number. Empty if no region is complete.
        """
        if self.only:
            return self.only
        if self.binary:
            return ("whole",)
        meant = set(dict(self.values).values())
        if TUMOUR in meant:
            return ("whole",)
        core = CORE in meant or {NECROSIS, ENHANCING} <= meant
        inner = bool(meant & {CORE, NECROSIS, ENHANCING})
        complete = {
            "whole": OEDEMA in meant and inner,
            "core": core,
            "enhancing": ENHANCING in meant,
        }
        return tuple(region for region in REGIONS if complete[region])

    def translate(self, numbers: npt.NDArray[np.generic]) -> LabelArray:
        """Convert the numbers of a file, any shape, to labels (uint8, same shape); ignored is
        background.

        Raises:
            ValueError: a number that is not in the scheme; the message lists the known ones. A
                negative number, which may mean unannotated, if every number is tumour.
        """
        if self.binary:
            negative = numbers[np.less(numbers, 0) & (numbers != self.ignored)]
            if self.least == 1 and negative.size:
                raise ValueError(f"label {negative.min():g} is negative ({self.name})")
            marked = numbers != 0 if self.least == 1 else np.greater_equal(numbers, self.least)
            if self.ignored is not None:
                marked &= numbers != self.ignored
            return np.where(marked, TUMOUR, BACKGROUND).astype(np.uint8)
        known = {0: BACKGROUND, **dict(self.values)}
        if self.ignored is not None:
            known[self.ignored] = BACKGROUND
        present = _present(numbers)
        unknown = [n for n in present.tolist() if n not in known]
        if unknown:
            raise ValueError(f"label {unknown[0]:g} is not one of {sorted(known)} ({self.name})")
        labels = np.zeros(numbers.shape, np.uint8)
        for number in present.tolist():
            labels[numbers == number] = known[number]
        return labels


def _present(numbers: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Sorted unique numbers; bytes are counted, which is much faster than sorting."""
    if numbers.dtype == np.uint8:
        return np.flatnonzero(np.bincount(numbers.reshape(-1), minlength=256))
    return np.unique(numbers)


BINARY = LabelScheme("tumour or not", binary=True)
CORE_ONLY = LabelScheme("tumour core or not", ((1, CORE),))
BRATS_2021 = LabelScheme("BraTS 2017-2022", ((1, NECROSIS), (2, OEDEMA), (4, ENHANCING)))
BRATS_2023 = LabelScheme("BraTS 2023", ((1, NECROSIS), (2, OEDEMA), (3, ENHANCING)))
BRATS_2024 = LabelScheme(
    "BraTS 2024-2026", ((1, NECROSIS), (2, OEDEMA), (3, ENHANCING), (4, CAVITY))
)
