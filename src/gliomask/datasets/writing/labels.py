"""Numbers and names of the labels of a written data set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from gliomask.core.case import Case
from gliomask.core.labels import CAVITY, CORE, ENHANCING, NECROSIS, OEDEMA, TUMOUR, LabelArray
from gliomask.core.regions import REGIONS
from gliomask.datasets.mask_labels.option import EXAMPLE
from gliomask.errors import InputError, same_with

IGNORE: Final = "ignore"
"""nnU-Net's name of the label for voxels that are left out of the loss."""
_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        NECROSIS: "necrosis",
        OEDEMA: "edema",
        ENHANCING: "enhancing tumor",
        CAVITY: "resection cavity",
        TUMOUR: "tumor",
        CORE: "tumor core",
    }
)
_ORDER: Final = ("core", "whole", "enhancing")
"""Regions in the order of their numbers, as BraTS numbers them."""


@dataclass(frozen=True)
class WrittenLabels:
    """Labels of the written masks.

    Attributes:
        names: number -> name, without the background.
        numbers: gliomask label -> number.
        ignored: number of unannotated voxels, the last one; None if there is none.
    """

    names: Mapping[int, str]
    numbers: Mapping[int, int]
    ignored: int | None = None

    def with_ignored(self) -> WrittenLabels:
        """These labels with a number for unannotated voxels."""
        number = len(self.names) + 1
        return WrittenLabels({**self.names, number: IGNORE}, self.numbers, number)

    def without_cavity(self) -> WrittenLabels:
        """These labels without the cavity, if it has the last number: few data sets contain one."""
        if self.ignored is not None:
            return self
        number = self.numbers.get(CAVITY)
        names = {k: name for k, name in self.names.items() if k != number}
        return WrittenLabels(names, {k: n for k, n in self.numbers.items() if k != CAVITY})

    def of(self, labels: LabelArray, unknown: npt.NDArray[np.bool_] | None = None) -> LabelArray:
        """Convert a mask (I, J, K) of gliomask labels to the written numbers.

        Args:
            labels: gliomask labels.
            unknown: unannotated voxels, which get the ignore number.
        """
        table = np.zeros(256, np.uint8)
        for label, number in self.numbers.items():
            table[label] = number
        written: LabelArray = table[labels]
        if unknown is not None and self.ignored is not None:
            written[unknown] = self.ignored
        return written


def written_labels(cases: Iterable[Case]) -> WrittenLabels:
    """Labels for the masks of a data set, numbered from 1 without gaps: one for each region.

    Raises:
        InputError: its masks have different regions, or contain none in full.
    """
    masked = [case for case in cases if case.label is not None]
    kinds = {case.regions for case in masked}
    regions = _common(kinds) if kinds else ()
    parts = {region: _part(region, regions) for region in _ORDER if region in regions}
    cavity = any(
        label == CAVITY
        for case in masked
        if case.scheme is not None
        for _, label in case.scheme.values
    )
    written = [*parts.values(), *([CAVITY] if cavity else [])]
    own = {label: number for number, label in enumerate(written, start=1)}
    # REGIONS is from the outermost to the innermost, so the number of the inner one stays.
    inside = {
        label: own[parts[region]]
        for region, of_region in REGIONS.items()
        if region in parts
        for label in of_region.labels
    }
    return WrittenLabels({own[label]: _NAMES[label] for label in written}, own | inside)


def _common(kinds: Collection[tuple[str, ...]]) -> tuple[str, ...]:
    """The regions of all masks."""
    if () in kinds:
        raise InputError(
            "its masks contain no region in full",
            field="regions",
            found="none",
            allowed=", ".join(REGIONS),
            hint=f"state what the numbers in them mean: {same_with(('labels', EXAMPLE))}",
        )
    if len(kinds) > 1:
        binary = f", or only the whole tumour of all: {same_with(('labels', 'binary'))}"
        raise InputError(
            "its masks have different regions, which can't be represented by one numbering",
            field="regions",
            found="; ".join(sorted(", ".join(kind) for kind in kinds)),
            hint="convert the cases of each kind alone"
            + (binary if all("whole" in kind for kind in kinds) else ""),
        )
    return next(iter(kinds))


def _part(region: str, regions: Collection[str]) -> int:
    """Label of the voxels that are in this region, and in no other one of ``regions`` inside it."""
    if region == "whole":
        return TUMOUR if len(regions) == 1 else OEDEMA
    if region == "core":
        return NECROSIS if "enhancing" in regions else CORE
    return ENHANCING
