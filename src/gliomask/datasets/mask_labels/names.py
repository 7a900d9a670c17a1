"""Labels by name: names of tumour parts in data sets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from gliomask.core.label_scheme import LabelScheme
from gliomask.core.labels import BACKGROUND, CAVITY, CORE, ENHANCING, NECROSIS, OEDEMA, TUMOUR
from gliomask.core.regions import REGIONS
from gliomask.datasets.names import is_mask, words_of

_SUFFIXES = {"nii", "gz", "nrrd", "mha", "mhd", "mgz", "mgh", "png", "tif", "tiff", "jpg", "jpeg"}
BY_DESCRIPTION = "as dataset.json names them"
_PARTS = (
    (CAVITY, {"cavity", "resection", "resected", "rc", "kavitat", "hohle", "cavite", "cavidad",
              "cavita", "cavidade", "holte"}),
    (OEDEMA, {"edema", "oedema", "edematous", "hyperintensity", "snfh", "ed", "odem", "oedem",
              "oedeme", "oedeem"}),
    (NECROSIS, {"necrosis", "necrotic", "nonenhancing", "ncr", "net", "netc", "cyst", "cystic",
                "cysts", "cc", "nekrose", "necrose", "necrosi"}),
    (ENHANCING, {"enhancing", "enhancement", "et", "rehaussement", "realce"}),
)  # fmt: skip
"""Label -> words for it; the first match counts, since names of parts may contain "tumour"."""
# fmt: off
_TUMOURS = {
    "tumor", "tumors", "tumour", "tumours", "wt", "tc", "lesion", "lesions", "abnormality",
    "glioma", "gliomas", "glioblastoma", "gbm", "astrocytoma", "oligodendroglioma", "meningioma",
    "meningiomas", "metastasis", "metastases", "mets", "neoplasm", "gtv", "tumeur", "tumore",
    "tumoren", "lasion", "lesione", "laesie",
}
_OTHERS = {
    "skull", "bone", "scalp", "skin", "eye", "eyes", "orbit", "orbits", "ventricle", "ventricles",
    "csf", "vessel", "vessels", "artery", "arteries", "vein", "veins", "sinus", "sinuses",
    "brainstem", "cerebellum", "hippocampus", "thalamus", "air", "ctv", "ptv", "chiasm", "cochlea",
}
"""Words for structures that are never part of a tumour."""
_TISSUES = {
    "background", "brain", "brainmask", "head", "tissue", "gm", "wm", "nawm", "matter",
    "parenchyma", "cerebrum", "hemisphere", "hemispheres", "cortex", "outside", "other", "others",
}
"""Words that do not mean a tumour, unless they are next to a word that does (brain tumour)."""
# fmt: on
_CORES = {"tc", "core", "tumorkern", "tumourcore", "tumorcore"}
_OF_OTHER_MEANING = {"resection", "resected", "hyperintensity", "snfh", "cc", "net"}
"""Words for a tumour part that also have other meanings in file names."""
_SHORT = 3
_STRIPPED = re.compile(r"skull[\W_]*strip\w*", re.IGNORECASE)
_BRAIN = re.compile(
    r"(?:brain|head|(?<![a-z])(?:hd[\W_]*)?bet(?:[\W_]+(?:brats|native))?|synthstrip|defac\w*"
    r"|skull[\W_]*strip\w*)[\W_]*mask(?![a-z])|(?<![a-z])(?:aseg|aparc|wmparc)(?![a-z])",
    re.IGNORECASE,
)
"""Masks that programs write next to an image: of the brain, its parts, or all but the face."""
_NO_TUMOURS = {"brainmask", "ctv", "ptv"}
"""Names of masks that are complete in themselves; target volumes contain a margin."""
_DENIALS = {"no", "non", "not", "without", "free", "healthy", "normal"}
_REGIONS = {name: {name, region.abbreviation} for name, region in REGIONS.items()}


def label_of(name: str) -> int | None:
    """Label for a name, ``BACKGROUND`` if it is not a tumour, None if it is ambiguous.

    >>> label_of("non-enhancing tumor"), label_of("GD-enhancing tumour"), label_of("ventricle")
    (1, 3, 0)
    """
    words = _words(name)
    part = next((label for label, known in _PARTS if words & known), None)
    if words & _DENIALS:
        return None if part is not None or not words & (_TUMOURS | _TISSUES) else BACKGROUND
    if words & _OTHERS:
        return None if part is not None or words & _TUMOURS else BACKGROUND
    if part is not None:
        return part
    if words & _CORES:
        return CORE
    if words & _TUMOURS or words == {"whole"}:
        return TUMOUR
    return BACKGROUND if words & _TISSUES else None


def part_in_file_name(name: str) -> int | None:
    """Label of a tumour part, or ``BACKGROUND``, if the name of a mask file states one.

    Short words and tissues only count at the end (``P1_ET``, ``P1_brain_mask``); elsewhere they may
    be initials or the name of a data set. None for a whole tumour, and if the name states nothing.

    >>> part_in_file_name("P1_necrosis.nii.gz"), part_in_file_name("ET_001_seg.nii.gz")
    (1, None)
    """
    if _BRAIN.search(_latin(name)):
        return BACKGROUND
    plain = _STRIPPED.sub("", _latin(name))
    words = [word for word in words_of(plain) if word not in _SUFFIXES]
    words = [word for word in words if word in _NO_TUMOURS or not is_mask(word)]
    if not words:
        return None
    parts_named = [
        word
        for at, word in enumerate(words)
        if word in _DENIALS or at == len(words) - 1 or (len(word) > _SHORT and word not in _TISSUES)
    ]
    label = label_of(" ".join(word for word in parts_named if word not in _OF_OTHER_MEANING))
    return None if label == TUMOUR else label


def scheme_of_labels(labels: Mapping[str, int]) -> LabelScheme | None:
    """The scheme for labels that exclude each other: name -> number.

    Returns:
        None if a name is ambiguous, or none is a tumour: the user must state the numbers.
    """
    return scheme_of_names({number: name for name, number in labels.items()})


def scheme_of_names(names: Mapping[int, str], origin: str = BY_DESCRIPTION) -> LabelScheme | None:
    """The scheme for labels as number -> name, where several numbers may share a name.

    ``origin`` states the source of the names in the name of the scheme.
    """
    scheme = _scheme({number: label_of(name) for number, name in names.items() if number != 0})
    return replace(scheme, name=origin) if scheme is not None else None


def scheme_of_regions(regions: Mapping[str, Sequence[int]]) -> LabelScheme | None:
    """The scheme for nested regions: name -> the numbers that belong to it.

    Parts that no region distinguishes are one label. None as above, or if the regions are not
    nested or one contains a cavity.
    """
    members = _members(regions)
    whole, core, enhancing = (members.get(region, set()) for region in _REGIONS)
    values: dict[int, int | None] = {}
    for name, numbers in regions.items():
        if not any(set(numbers) == region_members for region_members in members.values()):
            values |= {n: label_of(name) for n in numbers if n != 0}
    inside = core if "core" in members else whole
    if not (core <= whole and enhancing <= inside) or whole & values.keys():
        return None
    layers = _layers(members.keys())
    values |= dict.fromkeys(whole, layers[0]) | dict.fromkeys(core, layers[1])
    values |= dict.fromkeys(enhancing, ENHANCING)
    return _scheme(values)


def scheme_of_output(
    regions: Mapping[str, Sequence[int]], order: Sequence[int]
) -> LabelScheme | None:
    """Label scheme of predictions of nnU-Net trained on regions.

    A voxel has the number of the last region, in the order of the description, that contains it.

    Args:
        regions: name -> numbers in the training masks, without the background.
        order: ``regions_class_order``: the output number of each region.
    """
    kinds = [_region(name) for name in regions]
    layers = _layers({kind for kind in kinds if kind})
    within = {layers[0]: ("whole",), layers[1]: ("whole", "core"), ENHANCING: tuple(_REGIONS)}
    values: dict[int, int | None] = {
        number: label_of(name)
        for name, number, kind in zip(regions, order, kinds, strict=True)
        if kind is None
    }
    for label, inside in within.items():
        numbers = [n for n, kind in zip(order, kinds, strict=True) if kind in inside]
        if numbers:
            last = numbers[-1]
            values[last] = TUMOUR if last in values and values[last] != label else label
    return _scheme(values)


def _layers(regions: Set[str]) -> tuple[int, int]:
    """Labels of the whole tumour outside the core, and of the core outside the enhancing tumour."""
    if "core" not in regions:
        return TUMOUR, TUMOUR
    return OEDEMA, NECROSIS if "enhancing" in regions else CORE


def _members(regions: Mapping[str, Sequence[int]]) -> dict[str, set[int]]:
    return {kind: set(numbers) for name, numbers in regions.items() if (kind := _region(name))}


def _region(name: str) -> str | None:
    """Region for a name; None for any other name."""
    words = _words(name)
    if label_of(name) not in (TUMOUR, CORE, ENHANCING):
        return None
    return next((region for region, known in _REGIONS.items() if words & known), None)


def _scheme(values: Mapping[int, int | None]) -> LabelScheme | None:
    clear = {number: label for number, label in values.items() if label is not None}
    if len(clear) < len(values) or not set(clear.values()) - {BACKGROUND, CAVITY}:
        return None
    return LabelScheme(BY_DESCRIPTION, tuple(sorted(clear.items())))


def _words(name: str) -> set[str]:
    return set(words_of(re.sub(r"(non|not)[\W_]*enhanc", "nonenhanc", _latin(name), flags=re.I)))


def _latin(name: str) -> str:
    """Remove accents from a name."""
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
