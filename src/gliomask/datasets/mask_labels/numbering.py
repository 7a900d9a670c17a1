"""Numbers of another program's label scheme for a prediction: the inverse of a scheme."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from gliomask.core.label_scheme import LabelScheme
from gliomask.core.labels import CORE, ENHANCING, NECROSIS, OEDEMA, TUMOUR, LabelArray
from gliomask.core.regions import REGIONS, region_numbers
from gliomask.errors import ConfigError, same_with

OWN_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        NECROSIS: "necrosis or non-enhancing core",
        OEDEMA: "edema",
        ENHANCING: "enhancing tumor",
        CORE: "tumor core",
        TUMOUR: "tumor",
    }
)
_INSTEAD: Final[Mapping[int, tuple[int, ...]]] = MappingProxyType(
    {
        NECROSIS: (NECROSIS, CORE, TUMOUR),
        CORE: (CORE, TUMOUR),
        ENHANCING: (ENHANCING, CORE, TUMOUR),
        OEDEMA: (OEDEMA, TUMOUR),
        TUMOUR: (TUMOUR,),
    }
)
"""Label -> labels that may represent it, most exact first; never a more specific one."""


def meanings_of(regions: tuple[str, ...]) -> dict[int, int]:
    """Number in a prediction's mask -> label, for a model of these regions."""
    if regions == ("whole",):
        return {1: TUMOUR}
    numbers = {number: number for number in region_numbers(regions).values()}
    return numbers if "enhancing" in regions else {**numbers, REGIONS["core"].mask_number: CORE}


def numbers_for(regions: tuple[str, ...], scheme: LabelScheme) -> dict[int, int]:
    """Number in a prediction's mask -> number of the scheme.

    Raises:
        ConfigError: the scheme has no number for a region of the model.
    """
    by_label: dict[int, int] = {}
    for number, label in sorted(scheme.values):
        by_label.setdefault(label, number)
    if scheme.binary:
        by_label.setdefault(TUMOUR, scheme.least)
    numbers: dict[int, int] = {}
    for own, label in meanings_of(regions).items():
        fits = [
            by_label[nested_label] for nested_label in _INSTEAD[label] if nested_label in by_label
        ]
        if not fits:
            raise ConfigError(
                "the data set has no label for a region of the model",
                field="label",
                found=OWN_NAMES[label],
                allowed=", ".join(
                    OWN_NAMES[nested_label]
                    for nested_label in by_label
                    if nested_label in OWN_NAMES
                ),
                hint="use a model with these regions, or write the model's own numbers: "
                f"{same_with(('own_labels', True))}",
            )
        numbers[own] = fits[0]
    return numbers


def renumbered(mask: LabelArray, numbers: Mapping[int, int]) -> LabelArray:
    """Replace the numbers of a mask (I, J, K); unlisted ones become background."""
    table = np.zeros(256, np.uint8)
    for own, number in numbers.items():
        table[own] = number
    mask_numbers: LabelArray = table[mask]
    return mask_numbers
