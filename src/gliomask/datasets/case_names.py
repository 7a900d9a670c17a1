"""Assignment of files to cases, by file names or folder names."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gliomask.core.case import Case
from gliomask.core.identity import bids_case, names_nobody, patient_of, safe_name
from gliomask.datasets.folders import stem
from gliomask.datasets.name_reading import says_only_sequence
from gliomask.datasets.names import is_mask, words_of

_WORDS = r"seg|dseg|segmentation|mask|pred|prediction|label|labels|tumou?r"
_ENDING = re.compile(rf"([-_.]({_WORDS}))+$", re.IGNORECASE)
_GENERIC = frozenset({
    "seg", "segs", "dseg", "segmentation", "segmentations", "mask", "masks", "pred", "preds",
    "prediction", "predictions", "label", "labels", "labelstr", "labelsts", "tumor", "tumour",
    "lesion", "lesions", "glioma", "roi", "whole", "wt", "output", "outputs", "out", "result",
    "results", "final", "best", "gt", "ground", "truth", "groundtruth", "manual", "auto",
    "automatic", "reference", "ref", "anat", "mri", "mr", "scan", "scans", "nifti", "nii",
    "image", "images", "img", "vol", "volume", "file", "series", "raw", "orig", "original",
    "input", "data", "brain", "native", "corrected", "drawn", "annotation", "annotations",
    "volumes", "acquisition", "acquisitions", "resources", "files", "subjects", "sessions",
    "export",
    "assessors", "derivatives", "atlas", "dicom", "structural", "coregistered", "space",
})  # fmt: skip
"""Words that do not identify a case."""


_SESSION = re.compile(
    r"(ses|session|visit|time[-_ ]?point|tp|follow[-_ ]?up|fu|baseline|pre[-_ ]?op|post[-_ ]?op|"
    r"week|wk|month|exam)([-_ ]?\d[A-Za-z0-9]{0,7}(-\d)?|[-_ ][A-Za-z0-9]{1,8})?|t\d",
    re.IGNORECASE,
)
"""Pattern of a folder of one of several examinations of a patient."""
_HAS_NUMBER = re.compile(r"\d")
_DATE = re.compile(r"(19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d")


@dataclass(frozen=True)
class CaseName:
    """The case of a file.

    Attributes:
        case: its id.
        case_in_name: whether a name contains it; otherwise it is the name of the file.
    """

    case: str
    case_in_name: bool


def case_id(name: str) -> str:
    """Case in the name of a mask file: the name without suffix and words like ``_seg``.

    For a BIDS name it is the subject and session.

    >>> case_id("BraTS2021_00000_seg.nii.gz"), case_id("p2-Label.nii")
    ('BraTS2021_00000', 'p2')
    >>> case_id("sub-01_ses-2_space-T1w_label-tumor_mask.nii.gz")
    'sub-01_ses-2'
    """
    bare = stem(name)
    return bids_case(bare) or _ENDING.sub("", bare) or bare


def case_names(files: Sequence[tuple[str, Path]], root: Path) -> tuple[CaseName, ...]:
    """Assign masks below a folder to cases, in their order.

    The file name is used if its case is unique; otherwise the names of the folders between ``root``
    and the file, without names like ``masks``, if they are unique; otherwise the file name.

    Args:
        files: (name, path) of each; for a stack of pictures, the name of its folder.
        root: the searched folder.
    """
    own = [case_id(name) for name, _ in files]
    places = [_place(path, root) for _, path in files]
    names, folders = Counter(own), Counter(places)
    case_names_found = []
    for name, place in zip(own, places, strict=True):
        has_case = has_case_name(name)
        if (not has_case or names[name] > 1) and place and folders[place] == 1:
            case_names_found.append(
                CaseName(bids_case(place) or safe_name(place), case_in_name=True)
            )
        else:
            case_names_found.append(CaseName(safe_name(name), has_case))
    return tuple(case_names_found)


def folder_case(folder: Path) -> tuple[str, str]:
    """Case and patient of a folder of images, as safe names.

    A generic name (``anat``, ``mri``) is replaced by that of the parent folder; a time point
    (``visit_1``, a date) is appended to it.

    >>> folder_case(Path("/x/patient_01/visit_1/mri"))
    ('patient_01_visit_1', 'patient_01')
    """
    place, visits = folder.resolve(), 0
    parts: list[str] = []
    while place.name and not (parts and not _is_visit(parts[0])):
        visit = bool(_SESSION.fullmatch(place.name))
        if visit or has_case_name(place.name):
            parts.insert(0, place.name)
            visits += visit
        place = place.parent
    parts = parts or [folder.resolve().name]
    name = "_".join(parts)
    whose = "_".join(part for part in parts if not _SESSION.fullmatch(part)) if visits else name
    return bids_case(name) or safe_name(name), patient_of(whose or name)


def _is_visit(name: str) -> bool:
    return bool(_SESSION.fullmatch(name) or _DATE.fullmatch(name))


def with_distinct_ids(cases: Sequence[Case]) -> tuple[Case, ...]:
    """Make ids unique by a prefix: the names of the folders in which the cases differ.

    DICOM studies, whose folder names are not informative, and cases in the same folder keep their
    id.
    """
    shared = Counter(case.id.casefold() for case in cases)
    groups: dict[str, list[Case]] = {}
    for case in cases:
        if shared[case.id.casefold()] > 1 and case.images and case.source != "dicom":
            groups.setdefault(case.id.casefold(), []).append(case)
    nobody = len(shared) == 1
    better = {id(case): new for group in groups.values() for case, new in _apart(group, nobody)}
    return tuple(better.get(id(case), case) for case in cases)


def _apart(group: Sequence[Case], nobody: bool) -> list[tuple[Case, Case]]:
    """Cases of one id, each with its replacement, whose id has the folders that differ.

    Args:
        group: the cases.
        nobody: all cases have this id: without a number in it, it is that of a program's folder.
    """
    parts = [_first(case).absolute().parent.parts for case in group]
    columns = enumerate(itertools.zip_longest(*parts, fillvalue=""))
    levels = [at for at, names in columns if len(set(names)) > 1]
    chosen = [[at for at in levels if at < len(row)] for row in parts]
    prefixes = ["_".join(row[at] for at in own) for row, own in zip(parts, chosen, strict=True)]
    if len({prefix.casefold() for prefix in prefixes}) < len(group) or "" in prefixes:
        return []
    places = [Path(*row[: own[-1] + 1]) for row, own in zip(parts, chosen, strict=True)]
    renamed = zip(group, prefixes, places, strict=True)
    return [(case, _renamed(case, prefix, place, nobody)) for case, prefix, place in renamed]


def _renamed(case: Case, prefix: str, place: Path, nobody: bool) -> Case:
    """A case with a new id, and with a new patient if the old name is not specific to a patient.

    Args:
        case: one of several with this id.
        prefix: the names of the folders in which it differs from the others.
        place: the deepest of them.
        nobody: see ``_apart``.
    """
    name = f"{prefix}_{case.id}"
    patient = case.patient
    if patient == patient_of(case.id):
        if nobody and not _HAS_NUMBER.search(patient) and _HAS_NUMBER.search(prefix):
            patient = folder_case(place)[1]
        elif names_nobody(patient) and not _is_visit(place.name):
            patient = patient_of(name)
    return replace(case, id=safe_name(name), patient=patient)


def _first(case: Case) -> Path:
    return next(iter(case.images.values())).paths[0]


def _place(path: Path, root: Path) -> str:
    try:
        parts = path.parent.relative_to(root).parts
    except ValueError:
        return ""
    return "_".join(part for part in parts if has_case_name(part))


def has_case_name(name: str) -> bool:
    """Return True if a name contains more than the kind of the file."""
    words = words_of(name)
    return not words or any(
        not (word in _GENERIC or is_mask(word) or says_only_sequence(word)) for word in words
    )
