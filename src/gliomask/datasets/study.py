"""What a user points at for a prediction, as cases: files, a folder, many folders, a data set.

Names tell which sequence a file holds. Where they don't, or can be read in two ways, the user is
asked; a network that is shown the wrong sequence answers all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from gliomask.core.case import Case, ImageFile
from gliomask.core.volume import SEQUENCES
from gliomask.datasets import lgg_kaggle
from gliomask.datasets.dicom_files import files_below, holds_dicom
from gliomask.datasets.dicom_study import only_series, studies_of_files
from gliomask.datasets.find import is_data_set, is_synthetic, scan, unique
from gliomask.datasets.folders import folders, pictures, stem, volumes
from gliomask.datasets.layout import Cases, in_folders
from gliomask.datasets.names import sequences_in
from gliomask.datasets.study_files import HINT, case_of_images, of_pictures, of_volumes
from gliomask.errors import CaseError, InputError, LayoutError, nearest
from gliomask.formats.dicom.magic import is_dicom
from gliomask.formats.images import SUFFIXES, is_nifti, is_picture

NOTHING_GIVEN: Mapping[str, Path] = MappingProxyType({})


def find_studies(
    inputs: Sequence[Path], given: Mapping[str, Path] = NOTHING_GIVEN
) -> tuple[Case, ...]:
    """The cases that a user points at, all of them usable.

    Args:
        inputs: NIfTI or picture files, folders, data sets; see ``survey``.
        given: sequence -> file, when names don't tell; instead of ``inputs``.

    Raises:
        InputError: as ``survey``; or a case that can't be used, with the number of others.
    """
    cases, problems = survey(inputs, given)
    if problems:
        first, others = problems[0], len(problems) - 1
        more = f" (and {others} more can't be used)" if others else ""
        raise CaseError(f"{first.case}: {first.reason}{more}")
    return cases


def survey(inputs: Sequence[Path], given: Mapping[str, Path] = NOTHING_GIVEN) -> Cases:
    """The cases that a user points at, and what there can't be used.

    All NIfTI files among the inputs are taken together: files of one examination have names that
    differ only in the sequence. A folder is a data set of a known layout, or one examination
    (NIfTI files; pictures; a folder of pictures for each sequence), or a folder of such folders.
    Where these leave off, DICOM files are looked for at any depth (``dicom_study``); DICOM files
    among the inputs are taken together. Files that are named like masks are no inputs.

    Raises:
        InputError: nothing to work on, and what was looked for; for a single folder or for files,
            a sequence that no name tells or that two files claim. Of several folders the bad ones
            are problems.
    """
    if given:
        if inputs:
            raise InputError("either files by sequence or inputs, not both")
        return (_given(given),), ()
    if not inputs:
        raise InputError("nothing to predict on was named")
    folders_named = [path for path in inputs if path.is_dir()]
    if len(inputs) == len(folders_named) == 1:
        found, problems = _of_folder(folders_named[0])
    else:
        found, problems = in_folders(folders_named, _of_folder)
    for cases, refused in _of_files([path for path in inputs if not path.is_dir()]):
        found, problems = found + cases, problems + refused
    return unique(found), problems


def _given(given: Mapping[str, Path]) -> Case:
    images = {}
    for name, path in given.items():
        meant = {name} & set(SEQUENCES) or sequences_in(name)
        if len(meant) != 1:
            hint, allowed = nearest(name, SEQUENCES), ", ".join(SEQUENCES)
            raise InputError(
                "no sequence", field="sequence", found=name, allowed=allowed, hint=hint
            )
        sequence = meant.pop()
        if sequence in images:
            raise InputError("given twice", field="sequence", found=sequence)
        images[sequence] = _image_at(path)
    first = next(iter(given.values()))
    return case_of_images(images, stem(first.name), first.parent)


def _image_at(path: Path) -> ImageFile:
    """A file, or a folder of pictures or of one DICOM series."""
    if not path.exists():
        raise InputError("no image there", path=path)
    if not path.is_dir():
        return ImageFile((path,))
    if slices := pictures(path):
        return ImageFile(tuple(slices))
    if not holds_dicom(path):
        raise InputError("no image there", path=path)
    return only_series(path)


def _of_files(files: Sequence[Path]) -> list[Cases]:
    """Files named one by one: NIfTI, pictures and DICOM each together, tables each alone."""
    others = [path for path in files if not _has_known_name(path)]
    for path in files:
        if not path.exists():
            raise InputError("no such file or folder", path=path)
        if path in others and not is_dicom(path):
            allowed = f"{', '.join(SUFFIXES)}, .csv, DICOM or a folder"
            raise InputError("no image", path=path, field="name", found=path.name, allowed=allowed)
    slices = [path for path in files if is_picture(path)]
    tables = [scan(path) for path in files if path.suffix.lower() == ".csv"]
    found = [(table.cases, table.problems) for table in tables]
    if scans := [path for path in files if is_nifti(path)]:
        found.append((_of_scans(scans), ()))
    if slices:
        found.append(((of_pictures(slices, slices[0].parent),), ()))
    if others:
        found.append(_of_dicom(others, others[0].parent))
    return found


def _has_known_name(path: Path) -> bool:
    return is_nifti(path) or is_picture(path) or path.suffix.lower() == ".csv"


def _of_dicom(files: Sequence[Path], folder: Path) -> Cases:
    """The studies that DICOM files belong to; no cases and no problems if none of them is any."""
    studies = studies_of_files(files, synthetic=is_synthetic(folder))
    return studies.cases, studies.problems


def _not_yet_used(folder: Path, cases: Sequence[Case]) -> list[Path]:
    """The files below a folder but for those that lie beside the images of a case, or deeper:
    whoever keeps DICOM next to the NIfTI made from it means one examination."""
    images = [file for case in cases for file in case.images.values()]
    used = {parent for file in images for parent in file.paths[0].parents}
    used -= {folder, *folder.parents}
    return [path for path in files_below(folder) if used.isdisjoint(path.parents)]


def _of_scans(files: Sequence[Path]) -> tuple[Case, ...]:
    """NIfTI files: those in one folder go together; folders must hold alike to be told apart."""
    parents = dict.fromkeys(path.parent for path in files)
    cases = tuple(
        case
        for parent in parents
        for case in of_volumes([(stem(p.name), p) for p in files if p.parent == parent], parent)
    )
    if len({frozenset(case.images) for case in cases}) > 1:
        names = ", ".join(str(path) for path in files)
        raise CaseError(f"it isn't clear which files belong together: {names}", hint=HINT)
    return cases


def _of_folder(folder: Path) -> Cases:
    """A data set, an examination, or a folder of either."""
    if is_data_set(folder):
        found = scan(folder, depth=0)
        cases, problems = in_folders(found.left_out, _inside)
        return (*found.cases, *cases), (*found.problems, *problems)
    if examination := _examination(folder):
        return examination, ()
    try:
        found = scan(folder)
    except LayoutError as problem:
        cases, problems = in_folders(folders(folder), _inside)
        if holds_dicom(folder):
            studies, refused = _of_dicom(_not_yet_used(folder, cases), folder)
            cases, problems = (*cases, *studies), (*problems, *refused)
        if not cases and not problems:
            what = "no NIfTI files, pictures or DICOM in it or in its folders, and"
            raise LayoutError(f"{what} {problem.what}", path=folder) from None
        return cases, problems
    return found.cases, found.problems


def _inside(folder: Path) -> Cases:
    """The cases of one of several folders."""
    if is_data_set(folder):
        found = scan(folder, depth=0)
        return found.cases, found.problems
    return _examination(folder), ()


def _examination(folder: Path) -> tuple[Case, ...]:
    """The cases of the images in a folder, or of folders of slices in it; often one, or none.

    Raises:
        InputError: see ``of_volumes`` and ``of_pictures``.
    """
    if scans := volumes(folder):
        return of_volumes(scans, folder)
    if slices := pictures(folder):
        return (lgg_kaggle.case_without_masks(folder) or of_pictures(slices, folder),)
    stacks = {sub: pictures(sub) for sub in folders(folder) if sequences_in(sub.name)}
    slices = [path for stack in stacks.values() for path in stack]
    return (of_pictures(slices, folder),) if slices else ()
