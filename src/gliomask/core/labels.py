"""What the voxels of a tumour mask mean, whatever numbers a data set used for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

LabelArray = npt.NDArray[np.uint8]

BACKGROUND = 0
NECROSIS = 1
"""Necrotic or non-enhancing tumour core."""
OEDEMA = 2
"""Oedema, or FLAIR hyperintensity around the core."""
ENHANCING = 3
"""Tumour that enhances after gadolinium."""
CAVITY = 4
"""Resection cavity (BraTS 2024). Not tumour."""
TUMOUR = 5
"""Tumour whose parts were not told apart."""
CORE = 6
"""Tumour core, that is tumour without oedema, whose parts were not told apart."""

REGIONS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "whole": (NECROSIS, OEDEMA, ENHANCING, TUMOUR, CORE),
        "core": (NECROSIS, ENHANCING, CORE),
        "enhancing": (ENHANCING,),
    }
)
"""Region name -> the labels it is made of. Regions are nested, a network has a channel for each."""


@dataclass(frozen=True)
class LabelScheme:
    """How the numbers of one data set map to our labels.

    Attributes:
        name: of the scheme, for people.
        values: number in the file -> label; 0 is background and need not be named.
        binary: any number from ``least`` on is ``TUMOUR`` (``values`` is not used).
        least: the smallest number that is tumour where ``binary``.
        only: the regions that are sure, where the labels would tell more than that.
    """

    name: str
    values: tuple[tuple[int, int], ...] = ()
    binary: bool = False
    least: int = 1
    only: tuple[str, ...] = ()

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that masks of this scheme can tell."""
        if self.only:
            return self.only
        meant = dict(self.values).values()
        if self.binary or TUMOUR in meant:
            return ("whole",)
        if CORE in meant:
            return ("whole", "core") if OEDEMA in meant else ("core",)
        return tuple(REGIONS)

    def translate(self, numbers: npt.NDArray[np.generic]) -> LabelArray:
        """Numbers of a file, any shape, to labels (uint8, same shape).

        Raises:
            ValueError: a number that the scheme does not know; the text names it and those known.
        """
        if self.binary:
            marked = numbers != 0 if self.least == 1 else np.greater_equal(numbers, self.least)
            return np.where(marked, TUMOUR, BACKGROUND).astype(np.uint8)
        known = {0: BACKGROUND, **dict(self.values)}
        present = _present(numbers)
        unknown = [n for n in present.tolist() if n not in known]
        if unknown:
            raise ValueError(f"label {unknown[0]:g} is not one of {sorted(known)} ({self.name})")
        labels = np.zeros(numbers.shape, np.uint8)
        for number in present.tolist():
            labels[numbers == number] = known[number]
        return labels


def _present(numbers: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The numbers that occur, sorted; bytes are counted, which is much quicker than sorting."""
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


def region_masks(labels: LabelArray, regions: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Labels (...) to one mask per region: (R, ...) bool. KeyError for an unknown region."""
    return np.stack([np.isin(labels, REGIONS[region]) for region in regions])


def labels_of_regions(masks: npt.NDArray[np.bool_], regions: tuple[str, ...]) -> LabelArray:
    """One mask per region (R, ...) back to labels (...): the inverse, for what a mask file holds.

    Only ``whole``: ``TUMOUR`` becomes 1. With ``core`` and ``enhancing``: 1 necrosis, 2 oedema,
    3 enhancing, the numbers of BraTS 2023. Regions are made nested first (enhancing within core
    within whole), so a voxel of an inner region counts for the outer ones.
    """
    labels = np.zeros(masks.shape[1:], np.uint8)
    if regions == ("whole",):
        labels[masks[0]] = 1
        return labels
    layers = {"whole": OEDEMA, "core": NECROSIS, "enhancing": ENHANCING}
    for region in ("whole", "core", "enhancing"):
        if region in regions:
            labels[masks[regions.index(region)]] = layers[region]
    return labels
