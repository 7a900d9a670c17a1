"""Cases for a prediction: from files, a folder, several folders, or a data set.

File names state the sequence. If they don't, or are ambiguous, an error lists the options, because
a network returns a mask for a wrong sequence, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from gliomask.core.case import Case
from gliomask.core.volume import SEQUENCES
from gliomask.datasets import lgg_kaggle
from gliomask.datasets.find import is_data_set, is_synthetic, scan
from gliomask.datasets.folders import folders, pictures, stem, volumes, within
from gliomask.datasets.layout import Cases, Problem, in_folders
from gliomask.datasets.name_reading import read_name
from gliomask.datasets.names import is_mask
from gliomask.datasets.unsupported import (
    archives_below,
    archives_counted,
    unread_below,
    unread_in,
    unread_note,
)
from gliomask.errors import CaseError, InputError, LayoutError, option
from gliomask.formats.dicom.magic import is_dicom
from gliomask.formats.images import SUFFIXES, is_picture
from gliomask.formats.limits import MAX_DEPTH
from gliomask.formats.padding import padding_bytes
from gliomask.formats.volumes import is_second_half, is_volume
from gliomask.studies.dicom_files import files_below, holds_dicom
from gliomask.studies.dicom_picks import NOTHING_PICKED
from gliomask.studies.dicom_study import studies_of_files
from gliomask.studies.loose_files import HINT, MASKS, of_pictures, of_volumes, stray_pictures
from gliomask.studies.read_series import MIN_SLICES
from gliomask.studies.sequence_folders import sequence_folders
from gliomask.studies.survey import SurveyResult, joined
from gliomask.studies.unused_files import may_name_sequence, with_unused_files
from gliomask.studies.user_choice import by_sequence, check_picks, chosen_case

NO_CHOICES: Mapping[str, Path] = MappingProxyType({})


def survey(
    inputs: Sequence[Path],
    choices: Mapping[str, Path] = NO_CHOICES,
    picks: Mapping[str, str] = NOTHING_PICKED,
) -> Cases:
    """Find cases and problems in the input; see ``audit``."""
    surveyed = audit(inputs, choices, picks)
    return surveyed.cases, surveyed.problems


def audit(
    inputs: Sequence[Path],
    choices: Mapping[str, Path] = NO_CHOICES,
    picks: Mapping[str, str] = NOTHING_PICKED,
) -> SurveyResult:
    """Find cases, problems and all DICOM series in the input.

    All NIfTI files among the inputs are taken together: files of one examination have names that
    differ only in the sequence. A folder is a data set of a known layout, or one examination (NIfTI
    files; pictures; a folder for each sequence), or a folder of such folders. DICOM
    files are searched at any depth (``dicom_study``); DICOM files among the inputs are grouped
    together. Files with mask names are not used as inputs.

    Args:
        inputs: files and folders.
        choices: sequence -> file, if names don't state it; instead of ``inputs``.
        picks: sequence -> the DICOM series to take for it, see ``dicom_picks.picked``.

    Raises:
        InputError: no usable input, with the supported kinds; for a single folder or for files, a
            missing or ambiguous sequence; a pick that does not exist. For several folders, unusable
            ones are problems, and so are studies without a pick.
    """
    if choices:
        if inputs or picks:
            by_name = ", ".join(map(option, SEQUENCES))
            other = option("inputs" if inputs else "series")
            raise InputError(f"give either files by sequence ({by_name}) or {other}, not both")
        return SurveyResult((chosen_case(choices),))
    if not inputs:
        hint = f"give scans: {option('inputs', 'scan.nii.gz', command='predict')}"
        raise InputError("no input", hint=hint)
    chosen = by_sequence(picks)
    folders_named = [path for path in inputs if path.is_dir()]
    if len(inputs) == len(folders_named) == 1:
        parts = [_of_folder(folders_named[0], chosen)]
    else:
        parts = [_of_one_folder(folder, chosen) for folder in folders_named]
    parts += _of_files([path for path in inputs if not path.is_dir()], chosen)
    surveyed = joined(parts)
    check_picks(chosen, surveyed)
    return replace(surveyed, cases=tuple(map(_with_padding, surveyed.cases)))


def _with_padding(case: Case) -> Case:
    """Add a note to the case on files with bytes after the voxels."""
    notes = tuple(
        f"{name}: {more} bytes after the voxels were ignored"
        for name, image in case.images.items()
        if len(image.paths) == 1 and (more := padding_bytes(image.paths[0]))
    )
    return replace(case, notes=(*case.notes, *notes)) if notes else case


def _of_files(files: Sequence[Path], picks: Mapping[str, str]) -> list[SurveyResult]:
    """Files named one by one: NIfTI, pictures and DICOM each together, tables each alone."""
    others = [path for path in files if not _has_known_name(path)]
    for path in files:
        if not path.exists():
            raise InputError("no such file or folder", path=path)
        if path in others and not is_dicom(path):
            allowed = f"{', '.join(SUFFIXES)}, .csv, DICOM or a folder"
            raise InputError(
                "not an image", path=path, field="name", found=path.name, allowed=allowed
            )
    slices = [path for path in files if is_picture(path)]
    tables = [scan(path) for path in files if path.suffix.lower() == ".csv"]
    tables_read = [SurveyResult(table.cases, table.problems) for table in tables]
    if scans := [path for path in files if is_volume(path) and not is_second_half(path)]:
        tables_read.append(SurveyResult(_of_scans(scans)))
    if slices:
        folder = slices[0].parent
        colour = lgg_kaggle.case_of_slices(slices, folder)
        tables_read.append(SurveyResult((colour or of_pictures(slices, folder),)))
    if others:
        tables_read.append(_of_named_dicom(others, picks))
    return tables_read


def _of_named_dicom(files: Sequence[Path], picks: Mapping[str, str]) -> SurveyResult:
    surveyed = _of_dicom(files, files[0].parent, picks)
    if not (surveyed.cases or surveyed.problems or surveyed.series):
        what = "a DICOMDIR, which contains no image but a list of other files"
        raise InputError(what, path=files[0], hint=f"use its folder: {files[0].absolute().parent}")
    few = all(row.shape is None or row.shape[2] < MIN_SLICES for row in surveyed.series)
    if not surveyed.cases and len(files) < MIN_SLICES and few:
        what = "one DICOM slice" if len(files) == 1 else f"{len(files)} DICOM slices"
        reasons = "; ".join(problem.reason for problem in surveyed.problems)
        hint = f"use the folder that contains the complete series: {files[0].absolute().parent}"
        raise InputError(f"no volume in {what}: {reasons}", path=files[0], hint=hint)
    return surveyed


def _has_known_name(path: Path) -> bool:
    return is_volume(path) or is_picture(path) or path.suffix.lower() == ".csv"


def _of_dicom(files: Sequence[Path], folder: Path, picks: Mapping[str, str]) -> SurveyResult:
    """The studies that DICOM files belong to; nothing if none of them is any."""
    studies = studies_of_files(files, picks, synthetic=is_synthetic(folder))
    return SurveyResult(studies.cases, studies.problems, studies.audits)


def _not_yet_used(folder: Path, cases: Sequence[Case]) -> list[Path]:
    """Files below a folder, except those next to the images of a case, or deeper: DICOM files next
    to the NIfTI files made from them are the same examination."""
    images = [file for case in cases for file in case.images.values()]
    used = {parent for file in images for parent in file.paths[0].parents}
    used -= {folder, *folder.parents}
    return [path for path in files_below(folder) if used.isdisjoint(path.parents)]


def _of_scans(files: Sequence[Path]) -> tuple[Case, ...]:
    """NIfTI files: those in one folder go together; each folder with the same kinds of files."""
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


def _of_one_folder(folder: Path, picks: Mapping[str, str]) -> SurveyResult:
    """Survey of one of several folders; an unusable folder is a problem."""
    try:
        return _of_folder(folder, picks)
    except InputError as problem:
        return SurveyResult((), (Problem(folder.name, str(problem)),))


def _of_folder(folder: Path, picks: Mapping[str, str]) -> SurveyResult:
    """A data set, an examination, or a folder of either."""
    if is_data_set(folder):
        scan_result = scan(folder, depth=0)
        cases, problems = in_folders(scan_result.left_out, _inside)
        return SurveyResult((*scan_result.cases, *cases), (*scan_result.problems, *problems))
    named = may_name_sequence(path for _, path in volumes(folder))
    dicom = not named and holds_dicom(folder)
    if examination := _examination(folder, beside_dicom=dicom):
        return SurveyResult(examination)
    try:
        scan_result = scan(folder)
    except LayoutError as problem:
        return _of_mixed(folder, picks, problem)
    return SurveyResult(scan_result.cases, scan_result.problems)


def _of_mixed(folder: Path, picks: Mapping[str, str], no_data_set: LayoutError) -> SurveyResult:
    """The examinations anywhere below a folder, and DICOM files anywhere else below it."""
    dicom = holds_dicom(folder)
    parts = [SurveyResult(*_below(folder, beside_dicom=dicom))]
    if dicom:
        parts.append(_of_dicom(_not_yet_used(folder, parts[0].cases), folder, picks))
        if not any(part.cases for part in parts) and may_name_sequence(pictures(folder)):
            return SurveyResult(_stacks(folder))
    if not any(part.cases or part.problems for part in parts):
        if unread := unread_below(folder):
            what, hint = f"no readable images: {unread}", "convert them to .nii.gz"
            raise LayoutError(what, path=folder, hint=hint) from None
        if archives := archives_below(folder):
            what = f"no images but {archives_counted(archives)}"
            raise LayoutError(what, path=folder, hint=_name_archives(archives)) from None
        if any(is_mask(name) for place in within(folder, MAX_DEPTH) for name, _ in volumes(place)):
            what = "masks by their names, not images, in it and below it"
            raise LayoutError(what, path=folder, hint=MASKS) from None
        what = "no volumes, pictures or DICOM in it or below it, and"
        raise LayoutError(f"{what} {no_data_set.what}", path=folder) from None
    return with_unused_files(folder, joined(parts)) if dicom else joined(parts)


def _name_archives(archives: Sequence[Path]) -> str:
    first = archives[0]
    predicted = option("inputs", first, command="predict")
    checked = option("paths", first, command="inspect")
    others = " with the others after it" if len(archives) > 1 else ""
    return f"name it: {predicted}{others}, or first {checked}"


def _below(folder: Path, depth: int = 1, *, beside_dicom: bool) -> Cases:
    """The cases of the folders in a folder, or of those in them, as deep as DICOM is looked for."""
    cases: list[Case] = []
    problems: list[Problem] = []
    read = partial(_inside, beside_dicom=beside_dicom)
    for place in folders(folder):
        surveyed, refused = in_folders([place], read)
        if not surveyed and not refused and depth < MAX_DEPTH and not _leads_up(place):
            surveyed, refused = _below(place, depth + 1, beside_dicom=beside_dicom)
        cases += surveyed
        problems += refused
    return tuple(cases), tuple(problems)


def _leads_up(place: Path) -> bool:
    """Return True for a link to a folder that the link is in."""
    target = place.resolve()
    return place.is_symlink() and target in place.parent.resolve().joinpath("x").parents


def _inside(folder: Path, *, beside_dicom: bool = False) -> Cases:
    """The cases of one of several folders; none of a folder of masks."""
    if is_data_set(folder):
        scan_result = scan(folder, depth=0)
        return scan_result.cases, scan_result.problems
    if _only_masks(volumes(folder)) and not sequence_folders(folder)[0]:
        return (), ()
    return _examination(folder, beside_dicom=beside_dicom), ()


def _examination(folder: Path, *, beside_dicom: bool) -> tuple[Case, ...]:
    """The cases of the images in a folder, or of folders for sequences in it; often one, or none.

    Args:
        folder: folder to search.
        beside_dicom: DICOM lies in it, below it or next to it: images without sequences in names
            are left to ``with_unused_files``, and so are all pictures in a DICOM folder.

    Raises:
        InputError: see ``of_volumes`` and ``of_pictures``.
    """
    scans, unused = volumes(folder), tuple[str, ...]()
    if not scans or _only_masks(scans):
        in_folders_of_it, unused = sequence_folders(folder)
        scans = in_folders_of_it or scans
    if scans and not (beside_dicom and not may_name_sequence(path for _, path in scans)):
        notes = unused + tuple(unread_note(path) for path in unread_in(folder))
        notes += stray_pictures(pictures(folder))
        cases = of_volumes(scans, folder)
        return tuple(replace(case, notes=(*case.notes, *notes)) for case in cases)
    if beside_dicom and (not may_name_sequence(_slices_in(folder)) or holds_dicom(folder)):
        return ()
    return _stacks(folder)


def _only_masks(files: Sequence[tuple[str, Path]]) -> bool:
    return bool(files) and all(is_mask(name) for name, _ in files)


def _slices_in(folder: Path) -> list[Path]:
    """The pictures in a folder, or in those folders in it that are called like a sequence."""
    inner = [sub for sub in folders(folder) if read_name(sub.name).candidates]
    return pictures(folder) or [path for sub in inner for path in pictures(sub)]


def _stacks(folder: Path) -> tuple[Case, ...]:
    """The case of the pictures in a folder, or in folders in it; none if there are no pictures."""
    if not (slices := _slices_in(folder)):
        return ()
    return (lgg_kaggle.case_without_masks(folder) or of_pictures(slices, folder),)
