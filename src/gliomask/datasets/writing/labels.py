"""Numbers and names of the labels of a written data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from gliomask.core.case import Case
from gliomask.core.labels import CAVITY, CORE, ENHANCING, NECROSIS, OEDEMA, TUMOUR, LabelArray
from gliomask.core.regions import REGIONS
from gliomask.errors import InputError

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
_PARTS: Final[Mapping[tuple[str, ...], tuple[int, ...]]] = MappingProxyType(
    {
        ("whole",): (TUMOUR,),
        ("core",): (CORE,),
        ("whole", "core"): (CORE, OEDEMA),
        ("whole", "core", "enhancing"): (NECROSIS, OEDEMA, ENHANCING),
    }
)
"""Labels that are written, by the regions of a data set's masks."""


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
    """Labels for the masks of a data set, numbered from 1 without gaps.

    Raises:
        InputError: its masks have different regions.
    """
    masked = [case for case in cases if case.label is not None]
    kinds = {case.regions for case in masked}
    if len(kinds) > 1 or not kinds <= _PARTS.keys():
        raise InputError(
            "its masks have different regions, which can't be represented by one numbering",
            field="regions",
            found="; ".join(sorted(", ".join(kind) for kind in kinds)),
        )
    parts = [*_PARTS[kinds.pop()]] if kinds else []
    schemes = [case.scheme for case in masked if case.scheme is not None]
    if any(label == CAVITY for scheme in schemes for _, label in scheme.values):
        parts.append(CAVITY)
    numbers = {label: number for number, label in enumerate(parts, start=1)}
    names = {number: _NAMES[label] for label, number in numbers.items()}
    return WrittenLabels(names, _with_parts(numbers))


def _with_parts(numbers: dict[int, int]) -> dict[int, int]:
    """A label without its own number gets the number of the part that contains it."""
    all_numbers = dict(numbers)
    for holder, region in ((CORE, "core"), (TUMOUR, "whole")):
        if holder in numbers:
            all_numbers = dict.fromkeys(REGIONS[region].labels, numbers[holder]) | all_numbers
    return all_numbers
