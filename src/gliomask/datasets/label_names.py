"""What a label is, by what it is called: the names that data sets give to parts of a tumour."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gliomask.core.labels import (
    CAVITY,
    ENHANCING,
    NECROSIS,
    OEDEMA,
    TUMOUR,
    LabelScheme,
)
from gliomask.datasets.names import words_of

_PARTS = (
    (CAVITY, {"cavity", "resection", "rc"}),
    (OEDEMA, {"edema", "oedema", "edematous", "hyperintensity", "snfh", "ed"}),
    (NECROSIS, {"necrosis", "necrotic", "nonenhancing", "ncr", "net", "netc"}),
    (ENHANCING, {"enhancing", "enhancement", "et"}),
    (TUMOUR, {"tumor", "tumour", "whole", "wt", "lesion", "glioma", "abnormality"}),
)
"""Label -> words for it; the first match counts, since names of parts hold the word tumour too."""
_DENIALS = {"non", "no", "not", "healthy", "normal"}
_REGIONS = {"whole": {"whole", "wt"}, "core": {"core", "tc"}, "enhancing": {"enhancing", "et"}}
_ALL = "any number but 0 is tumour"


def scheme_of_labels(labels: Mapping[str, int]) -> LabelScheme:
    """The scheme for labels that exclude each other: name -> number.

    If a name says nothing, the parts can't be told apart and any number but 0 is tumour; the
    scheme's name says so.
    """
    values = {number: label_of(name) for name, number in labels.items() if number != 0}
    unclear = [name for name, number in labels.items() if number != 0 and values[number] is None]
    if unclear or not values:
        return LabelScheme(f"{_ALL}: unknown label names {', '.join(unclear)}", binary=True)
    return LabelScheme("dataset.json", tuple((n, v) for n, v in values.items() if v is not None))


def scheme_of_regions(regions: Mapping[str, Sequence[int]]) -> LabelScheme:
    """The scheme for nested regions: name -> the numbers that belong to it."""
    members: dict[str, set[int]] = {}
    for name, numbers in regions.items():
        words = _words(name)
        for region, known in _REGIONS.items():
            if words & known:
                members[region] = set(numbers)
    if members.keys() != _REGIONS.keys():
        return LabelScheme(f"{_ALL}: no three regions in {', '.join(regions)}", binary=True)
    values = {n: CAVITY for name, ns in regions.items() if label_of(name) == CAVITY for n in ns}
    values |= dict.fromkeys(members["whole"], OEDEMA)
    values |= dict.fromkeys(members["core"], NECROSIS)
    values |= dict.fromkeys(members["enhancing"], ENHANCING)
    return LabelScheme("dataset.json", tuple(sorted(values.items())))


def label_of(name: str) -> int | None:
    """Our label for a name, None if it says nothing.

    >>> label_of("non-enhancing tumor"), label_of("GD-enhancing tumour"), label_of("ventricle")
    (1, 3, None)
    """
    words = _words(name)
    found = next((label for label, known in _PARTS if words & known), None)
    return None if words & _DENIALS or (found == TUMOUR and "core" in words) else found


def _words(name: str) -> set[str]:
    return set(words_of(re.sub(r"non[\W_]*enhanc", "nonenhanc", name, flags=re.IGNORECASE)))
