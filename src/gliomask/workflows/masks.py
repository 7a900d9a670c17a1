"""Masks of any tool on disk: which files there are, and which two are of the same case."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.labels import LabelScheme
from gliomask.datasets.find import find_cases
from gliomask.datasets.folders import folders, pictures, volumes
from gliomask.datasets.names import is_mask, patient_of, sequences_in
from gliomask.errors import InputError, LayoutError

_WORDS = r"seg|dseg|segmentation|mask|pred|prediction|label|labels|tumou?r"
_ENDING = re.compile(rf"([-_.]({_WORDS}))+$", re.IGNORECASE)
_PROBABILITY = re.compile(r"[-_]prob(abilit(y|ies))?([-_.]|$)", re.IGNORECASE)
_DEPTH = 2
"""Folders below the one named are looked into, so deep."""


@dataclass(frozen=True)
class MaskFile:
    """A mask of one case.

    Attributes:
        case: the id that it is paired by.
        patient: the key that examinations of one person share.
        file: where it is.
        scheme: what its numbers mean; None if nothing tells.
        sparse: slices without tumour were not annotated.
        synthetic: of a phantom.
    """

    case: str
    patient: str
    file: ImageFile
    scheme: LabelScheme | None = None
    sparse: bool = False
    synthetic: bool = False


def case_id(name: str) -> str:
    """The case in the name of a mask file: without suffix and without words like ``_seg``.

    >>> case_id("BraTS2021_00000_seg.nii.gz"), case_id("p1_mask"), case_id("p2-Label.nii")
    ('BraTS2021_00000', 'p1', 'p2')
    """
    stem = re.sub(r"\.(nii(\.gz)?|tiff?|png)$", "", name, flags=re.IGNORECASE)
    return _ENDING.sub("", stem) or stem


def find_masks(root: Path) -> tuple[MaskFile, ...]:
    """The masks of a data set in a known layout, or else the mask files that lie below a folder.

    Raises:
        InputError: there is no such path, no mask, or two masks of one case.
    """
    if not root.exists():
        raise InputError("no such file or folder", path=root)
    masks = _of_data_set(root) or tuple(sorted(_loose(root), key=lambda mask: mask.case))
    if not masks:
        raise InputError("no masks (.nii, .nii.gz, folders <case>_mask of pictures)", path=root)
    for one, other in itertools.pairwise(masks):
        if one.case == other.case:
            raise InputError(f"two masks of {one.case}: {one.file} and {other.file}", path=root)
    return masks


def _of_data_set(root: Path) -> tuple[MaskFile, ...]:
    """The masks of a known layout; none if the folder is in no layout or has only images."""
    try:
        cases = find_cases(root).cases if root.is_dir() else ()
    except LayoutError:
        return ()
    return tuple(sorted(_of_cases(cases), key=lambda mask: mask.case))


def _of_cases(cases: Sequence[Case]) -> Iterator[MaskFile]:
    for case in cases:
        if case.label is not None:
            yield MaskFile(
                case.id, case.patient, case.label, case.scheme, case.sparse, case.synthetic
            )


def _loose(place: Path, depth: int = 0) -> Iterator[MaskFile]:
    """Every NIfTI file that is no image by its name, every folder of pictures named as a mask."""
    if place.is_file():
        yield _named(place.name, ImageFile((place,)))
        return
    if is_mask(place.name) and (slices := pictures(place)):
        yield _named(place.name, ImageFile(tuple(slices)))
    for name, path in volumes(place):
        if _may_be_mask(name):
            yield _named(name, ImageFile((path,)))
    for folder in folders(place) if depth < _DEPTH else ():
        yield from _loose(folder, depth + 1)


def _named(name: str, file: ImageFile) -> MaskFile:
    case = case_id(name)
    return MaskFile(case, patient_of(case), file)


def _may_be_mask(name: str) -> bool:
    return not _PROBABILITY.search(name) and (is_mask(name) or not sequences_in(name))
