"""Which case a mask belongs to: by its file's name, or by the folders that it lies in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gliomask.core.identity import bids_case, safe_name
from gliomask.datasets.folders import stem
from gliomask.datasets.names import words_of

_WORDS = r"seg|dseg|segmentation|mask|pred|prediction|label|labels|tumou?r"
_ENDING = re.compile(rf"([-_.]({_WORDS}))+$", re.IGNORECASE)
_GENERIC = frozenset({
    "seg", "segs", "dseg", "segmentation", "segmentations", "mask", "masks", "pred", "preds",
    "prediction", "predictions", "label", "labels", "labelstr", "labelsts", "tumor", "tumour",
    "lesion", "lesions", "glioma", "roi", "whole", "wt", "output", "outputs", "out", "result",
    "results", "final", "best", "gt", "ground", "truth", "groundtruth", "manual", "auto",
    "automatic", "reference", "ref", "anat", "mri", "mr", "scan", "scans", "nifti", "nii",
    "image", "images", "data", "brain", "native", "corrected", "drawn",
})  # fmt: skip
"""Words that name no case."""


@dataclass(frozen=True)
class CaseName:
    """The case of a file.

    Attributes:
        case: its id.
        told: a name tells it; otherwise it is the file's own name, for want of another.
    """

    case: str
    told: bool


def case_id(name: str) -> str:
    """The case in the name of a mask file: without suffix and without words like ``_seg``.

    Of a BIDS name it is the subject with its session.

    >>> case_id("BraTS2021_00000_seg.nii.gz"), case_id("p2-Label.nii")
    ('BraTS2021_00000', 'p2')
    >>> case_id("sub-01_ses-2_space-T1w_label-tumor_mask.nii.gz")
    'sub-01_ses-2'
    """
    bare = stem(name)
    return bids_case(bare) or _ENDING.sub("", bare) or bare


def case_names(files: Sequence[tuple[str, Path]], root: Path) -> tuple[CaseName, ...]:
    """The cases of masks below a folder, in their order.

    The name of a file counts if it tells a case and no other file has it; then the names of the
    folders between ``root`` and the file, without those like ``masks``, if they tell one file from
    all others; then the file's name after all.

    Args:
        files: (name, path) of each; the name is the folder's where a mask is a stack of pictures.
        root: that they were looked for in.
    """
    own = [case_id(name) for name, _ in files]
    places = [_place(path, root) for _, path in files]
    names, folders = Counter(own), Counter(places)
    found = []
    for name, place in zip(own, places, strict=True):
        told = tells_case(name)
        if (not told or names[name] > 1) and place and folders[place] == 1:
            found.append(CaseName(bids_case(place) or safe_name(place), told=True))
        else:
            found.append(CaseName(safe_name(name), told))
    return tuple(found)


def _place(path: Path, root: Path) -> str:
    try:
        parts = path.parent.relative_to(root).parts
    except ValueError:
        return ""
    return "_".join(part for part in parts if tells_case(part))


def tells_case(name: str) -> bool:
    """Whether a name says more than what kind of file it is."""
    words = words_of(name)
    return not words or any(word not in _GENERIC for word in words)
