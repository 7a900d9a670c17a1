"""Pictures and volumes next to DICOM studies that are not part of them.

Screenshots, thumbnails, logos of viewers and masks are common on discs and in exported folders. The
notes of the study list them as not used, except the masks and pictures that gliomask wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from gliomask.core.case import Case
from gliomask.core.counted import listed
from gliomask.datasets.bids import in_our_derivative
from gliomask.datasets.folders import stem
from gliomask.datasets.layout import Problem
from gliomask.datasets.name_reading import read_name
from gliomask.datasets.names import is_mask
from gliomask.datasets.unsupported import is_unread
from gliomask.formats.case_record import is_result
from gliomask.formats.images import is_picture
from gliomask.formats.volumes import is_volume
from gliomask.studies.dicom_files import files_below
from gliomask.studies.survey import SurveyResult

_INDEX = "DICOMDIR"
_TOLD = 5


def may_name_sequence(paths: Iterable[Path]) -> bool:
    """Return True if the name of an image or of its folder may contain a sequence."""
    return any(
        read_name(name).candidates
        for path in paths
        if not is_mask(stem(path.name))
        for name in (stem(path.name), *([path.parent.name] if is_picture(path) else []))
    )


def with_unused_files(folder: Path, surveyed: SurveyResult) -> SurveyResult:
    """Survey of a folder with DICOM files, with a note on each unused file.

    A file belongs to the studies in the same folder of ``folder``; one that shares none belongs to
    the only study, or to all of a disc. Elsewhere it may be a separate examination: a problem.
    """
    notes: dict[int, list[Path]] = {}
    problems: dict[Path, Problem] = {}
    for path in _strays(folder, surveyed.cases):
        owners = _owners(path, folder, surveyed.cases)
        for owner in owners:
            notes.setdefault(owner, []).append(path)
        if not owners and not (is_unread(path) or is_mask(stem(path.name))):
            what = f"no file name contains a sequence: {path.name}"
            problems.setdefault(path.parent, Problem(path.parent.name, what))
    cases = tuple(
        replace(case, notes=(*case.notes, _note(notes[n]))) if n in notes else case
        for n, case in enumerate(surveyed.cases)
    )
    return replace(surveyed, cases=cases, problems=(*surveyed.problems, *problems.values()))


def _strays(folder: Path, cases: Sequence[Case]) -> list[Path]:
    """The images of other formats below a folder.

    Those in a folder that a case uses are left out, and so are earlier results of gliomask: a rerun
    would differ from the run that wrote them.
    """
    used = {path for case in cases for image in case.images.values() for path in image.paths}
    beside = {path.parent for path in used if is_picture(path) or is_volume(path)}
    images = (p for p in files_below(folder) if is_picture(p) or is_volume(p) or is_unread(p))
    unused = [path for path in images if path not in used and path.parent not in beside]
    return [path for path in unused if not (is_result(path) or in_our_derivative(path, folder))]


def _owners(path: Path, folder: Path, cases: Sequence[Case]) -> list[int]:
    """The cases, by their place, to which a file is adjacent."""
    top = folder / path.relative_to(folder).parts[0]
    with_it = [n for n, case in enumerate(cases) if top in _folders_of(case)]
    if path.parent == folder or len(cases) == 1 or (folder / _INDEX).is_file():
        return with_it or list(range(len(cases)))
    return with_it


def _folders_of(case: Case) -> set[Path]:
    paths = (image.paths[0] for image in case.images.values())
    return {parent for path in paths for parent in path.parents}


def _note(paths: Sequence[Path]) -> str:
    return f"not used in a DICOM folder: {listed((path.name for path in paths), _TOLD)}"
