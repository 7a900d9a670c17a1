"""A table of examinations that ``prepare`` reads (``datasets.table``), with their masks.

Whether a mask belongs to an examination is clear if it is the only one in the folder of its images
or below it, or has the name of the case; masks in another branch (``labels/P1_seg.nii.gz``,
``derivatives/P1/mask.nii.gz``) have its name or lie in a folder of that name, or in a folder with
no other examination. Masks of the brain or of another structure don't count. Otherwise its cell is
left empty for the user.
"""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.core.csv_table import csv_text
from gliomask.core.identity import flat_name
from gliomask.core.labels import BACKGROUND
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.case_names import case_id, has_case_name
from gliomask.datasets.folders import folders, stem, volumes, within
from gliomask.datasets.layout import Problem
from gliomask.datasets.mask_labels.names import part_in_file_name
from gliomask.datasets.name_reading import read_name
from gliomask.datasets.names import is_mask, words_of
from gliomask.formats.limits import MAX_DEPTH
from gliomask.formats.volumes import is_volume

_DEPTH = 4
_SHOWN = 4
_EXAMINATION = re.compile(
    r"\d+|(?:ses|session|visit|time|timepoint|tp|followup|fu|week|wk|month|day|year|t|mr|exam)\d*"
    r"|baseline|(?:pre|post|intra)(?:op|rt|treatment|therapy|surgery)?"
)
"""A word that tells another examination of a patient."""


def case_table(
    cases: Sequence[Case], folder: Path, roots: Sequence[Path] = ()
) -> tuple[str, tuple[Problem, ...]]:
    """Table of cases, and what is missing in it.

    Args:
        cases: examinations.
        folder: the table's; paths are relative to it.
        roots: folders below which masks are searched that are not near the images of a case.

    Returns:
        (CSV text, problems). Cases of DICOM series, of slices or of 4-D files are
        problems and not in the table.
    """
    listed = [case for case in cases if all(map(_is_one_file, case.images.values()))]
    others = [case for case in cases if not all(map(_is_one_file, case.images.values()))]
    problems = [Problem(case.id, "not in the table: a table lists volume files") for case in others]
    shared = Counter(map(_place, listed))
    masks_of = {case.id: _masks(case, alone=shared[_place(case)] == 1) for case in listed}
    if not all(masks_of.values()):
        apart = _in_other_branches(listed, roots) | _around(listed, roots)
        masks_of = {name: masks or apart.get(name, []) for name, masks in masks_of.items()}
    rows = []
    for case in listed:
        masks = masks_of[case.id]
        mask = masks[0] if len(masks) == 1 else None
        if mask is None:
            problems.append(Problem(case.id, _why_no_mask(masks, folder)))
        files = [case.images[s].paths[0] if s in case.images else None for s in SEQUENCES]
        rows.append((case.patient, case.id, *(_cell(path, folder) for path in (*files, mask))))
    return csv_text(("patient", "case", *SEQUENCES, "mask"), rows), tuple(problems)


def _is_one_file(image: ImageFile) -> bool:
    return len(image.paths) == 1 and is_volume(image.paths[0]) and image.channel is None


def _place(case: Case) -> Path:
    """The deepest folder that contains all images of a case."""
    parents = [image.paths[0].absolute().parent for image in case.images.values()]
    return Path(os.path.commonpath(parents))


def _masks(case: Case, *, alone: bool) -> list[Path]:
    """Masks that may belong to a case: all near it, or those with its name if it is not alone."""
    if case.label is not None:
        return list(case.label.paths)
    top = _place(case)
    near = [
        (name, path.absolute())
        for place in within(top, _DEPTH)
        for name, path in volumes(place)
        if _may_be_tumour(name)
        and (is_mask(name) or _is_in_mask_folder(name, place.absolute().relative_to(top)))
    ]
    return [path for name, path in near if alone or flat_name(case_id(name)) == flat_name(case.id)]


def _is_in_mask_folder(name: str, place: Path) -> bool:
    """True for ``masks/ann.nii.gz``; an image there keeps its sequence in its name."""
    return any(map(is_mask, place.parts)) and not read_name(name).candidates


def _may_be_tumour(name: str) -> bool:
    return part_in_file_name(name) != BACKGROUND


def _in_other_branches(cases: Sequence[Case], roots: Sequence[Path]) -> dict[str, list[Path]]:
    """Masks anywhere below the roots by the case that they or their folders are named after."""
    words = {case.id: _words(case.id) for case in cases}
    masks_by_case: dict[str, list[Path]] = {}
    for root in roots:
        for place in within(root, MAX_DEPTH):
            for name, path in volumes(place):
                if not (is_mask(name) and _may_be_tumour(name)):
                    continue
                above = place.relative_to(root).parts[::-1]
                owners = (_named_after(called, words) for called in (name, *above))
                if owner := next(filter(None, owners), None):
                    masks_by_case.setdefault(owner, []).append(path.absolute())
    return masks_by_case


def _around(cases: Sequence[Case], roots: Sequence[Path]) -> dict[str, list[Path]]:
    """Masks next to the folder of the images of a case, where nothing else is but masks."""
    masks_by_case: dict[str, list[Path]] = {}
    for case in cases:
        top = _place(case)
        while case.id not in masks_by_case and any(
            root.absolute() in top.parents for root in roots
        ):
            beside = _masks_beside(top)
            if beside is None:
                break
            top = top.parent
            masks = [path for name, path in beside if _may_be_tumour(name)]
            if masks and not any(_names_another(path.relative_to(top), case) for path in masks):
                masks_by_case[case.id] = masks
    return masks_by_case


def _masks_beside(place: Path) -> list[tuple[str, Path]] | None:
    """Volumes in the parent of a folder and in all other folders there; None if one is no mask.

    The search ends at the first image, which is usually that of a neighbour: otherwise each of
    many cases would read the folders of all others.
    """
    others = (folder for folder in folders(place.parent) if folder != place)
    below = (file for other in others for inner in within(other, _DEPTH) for file in volumes(inner))
    masks: list[tuple[str, Path]] = []
    for name, path in itertools.chain(volumes(place.parent), below):
        if not is_mask(name):
            return None
        masks.append((name, path))
    return masks


def _names_another(path: Path, case: Case) -> bool:
    """Return True if a part of a path names a case, but not this one."""
    own = _words(case.id)
    names = [(words_of(stem(part)), part) for part in path.parts]
    return any(
        has_case_name(stem(part)) and tuple(words[: len(own)]) != own[: len(words)]
        for words, part in names
    )


def _named_after(name: str, cases: Mapping[str, tuple[str, ...]]) -> str | None:
    """The case whose name begins a name; the longest one, if several do.

    What follows must not be a number or a time point: that is another examination.
    """
    words = _words(stem(name))
    fitting = [case for case, own in cases.items() if own and words[: len(own)] == own]
    longest = max(fitting, key=lambda case: len(cases[case]), default=None)
    more = words[len(cases[longest]) :] if longest else ()
    return None if any(map(_EXAMINATION.fullmatch, more)) else longest


def _words(name: str) -> tuple[str, ...]:
    return tuple(words_of(name))


def _why_no_mask(masks: Sequence[Path], folder: Path) -> str:
    if not masks:
        return "no mask near its images"
    names = ", ".join(_cell(path, folder) or "" for path in masks[:_SHOWN])
    return f"{len(masks)} masks, fill in the one to use: {names}"


def _cell(path: Path | None, folder: Path) -> str | None:
    """Path relative to the table, which a spreadsheet does not take for a formula."""
    if path is None:
        return None
    relative = os.path.relpath(path.absolute(), folder.absolute())
    return relative if relative[0].isalnum() or relative[0] == "." else f"./{relative}"
