"""Grouping of files into series and volumes, with the reasons for refused ones.

A SeriesInstanceUID is not always one volume: a dual echo has two, a localizer three; ``parts``
distinguishes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gliomask.core.case import ImageFile
from gliomask.core.volume import Affine
from gliomask.errors import FormatError
from gliomask.formats.content import read_start
from gliomask.formats.dicom.copies import without_copies
from gliomask.formats.dicom.file import DicomFile, read_file
from gliomask.formats.dicom.frame import Frame
from gliomask.formats.dicom.grid import arrange
from gliomask.formats.dicom.grouping import contradiction_error, files_by_series
from gliomask.formats.dicom.magic import is_dicom
from gliomask.formats.dicom.parts import echo_times, volumes_of
from gliomask.formats.dicom.tags import SeriesTags
from gliomask.formats.limits import MAX_DICOM_FILES

_SUFFIXES = (".dcm", ".dicom", ".ima")
_REPLACE = "copy it again, or remove it if it is no slice"


@dataclass(frozen=True, eq=False)
class Series:
    """Frames that form one volume.

    Attributes:
        tags: of its first slice.
        frames: along K.
        shape: (I = columns, J = rows, K = slices).
        affine: (4, 4) float64, voxel index to RAS+ millimetres.
        image: its files in the order of the slices, as ``formats.images`` reads them.
        notes: sentences on omitted files.
    """

    tags: SeriesTags
    frames: tuple[Frame, ...]
    shape: tuple[int, int, int]
    affine: Affine
    image: ImageFile
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefusedSeries:
    """Files that are DICOM, but no volume.

    Attributes:
        tags: of the first of them.
        files: all of them.
        reason: one line: the series, the field, what was found and what is allowed.
    """

    tags: SeriesTags
    files: tuple[Path, ...]
    reason: str


@dataclass(frozen=True)
class Survey:
    """Contents of files.

    Attributes:
        series: the volumes.
        refused: DICOM series that are not a volume.
        skipped: number of files that are no DICOM image (other files, DICOMDIR).
    """

    series: tuple[Series, ...]
    refused: tuple[RefusedSeries, ...]
    skipped: int


def survey_files(paths: Sequence[Path]) -> Survey:
    """Reads the headers of files, in any order and mixture.

    Raises:
        FormatError: too many files.
        MachineError: the disk failed.
    """
    candidates = [path for path in paths if is_dicom(path)]
    damaged = _damaged(paths, candidates)
    if len(candidates) > MAX_DICOM_FILES:
        count, allowed = len(candidates), f"up to {MAX_DICOM_FILES}"
        raise FormatError("too many DICOM files", field="files", found=count, allowed=allowed)
    files, refused = _read(candidates)
    refused += damaged
    unreadable = {item.files[0].parent: item.files[0] for item in refused}
    series: list[Series] = []
    grouped, torn = files_by_series(file for file in files if not file.directory)
    refused += [_refused(of_series, contradiction_error(field)) for of_series, field in torn]
    for of_series in grouped:
        accepted, bad = _volumes(of_series, unreadable)
        series += accepted
        refused += bad
    others = len(paths) - len(candidates) - len(damaged) + sum(file.directory for file in files)
    return Survey(tuple(series), tuple(refused), others)


def _damaged(paths: Sequence[Path], candidates: Sequence[Path]) -> list[RefusedSeries]:
    """Files that are no DICOM, but are named like DICOM files in their folder."""
    named_alike = {(path.parent, _without_digits(path)) for path in candidates}
    folders = {path.parent for path in candidates}
    damaged = []
    for path in sorted(set(paths) - set(candidates)):
        if path.name.startswith("."):
            continue
        named = path.suffix.lower() in _SUFFIXES and path.parent in folders
        if named or (path.parent, _without_digits(path)) in named_alike:
            damaged.append(RefusedSeries(SeriesTags(), (path,), str(_damage(path))))
    return damaged


def _damage(path: Path) -> FormatError:
    try:
        start = read_start(path, 1)
    except FormatError as problem:
        return problem
    what = "damaged: it does not begin like a DICOM file" if start else "empty"
    return FormatError(what, path=path, hint=_REPLACE)


def _without_digits(path: Path) -> str:
    return re.sub(r"\d+", "0", path.name)


def _read(paths: Sequence[Path]) -> tuple[list[DicomFile], list[RefusedSeries]]:
    files, refused = [], []
    for path in paths:
        try:
            files.append(read_file(path))
        except FormatError as problem:
            refused.append(RefusedSeries(SeriesTags(), (path,), str(problem)))
    return files, refused


def _volumes(
    files: list[DicomFile], unreadable: Mapping[Path, Path]
) -> tuple[list[Series], list[RefusedSeries]]:
    """The volumes of one series.

    A file that can't be used makes all of it doubtful, unless it is of another class (a
    presentation state, a screenshot). So does an unreadable file in the same folder, which may be
    one of its slices.

    Args:
        files: of the series.
        unreadable: folder -> a file in it whose series is unknown, because it can't be read.
    """
    files, notes = _without_foreign(files)
    if missing := next(
        (unreadable[f.path.parent] for f in files if f.path.parent in unreadable), None
    ):
        what = "a file in the same folder can't be read, and may be one of its slices"
        problem = FormatError(what, field="file", found=missing.name, hint=_REPLACE)
        return [], [_refused(files, problem)]
    bad = [file for file in files if file.problem]
    if bad:
        share = f"{len(bad)} of {len(files)} files can't be used, the first: " * (len(files) > 1)
        return [], [_refused(files, FormatError(f"{share}{bad[0].problem}"))]
    try:
        once, copies = without_copies(files)
        parts = volumes_of(frame for file in once for frame in file.frames)
    except FormatError as problem:
        return [], [_refused(files, problem)]
    series, refused = [], []
    of_path = {file.path: file for file in once}
    for part in parts:
        series_files = [of_path[path] for path in dict.fromkeys(frame.path for frame in part)]
        try:
            series.append(_series(series_files, part, (*notes, *copies)))
        except FormatError as problem:
            refused.append(_refused(series_files, problem))
    return series, refused


def _series(files: Sequence[DicomFile], part: list[Frame], notes: tuple[str, ...]) -> Series:
    grid = arrange(part)
    first = grid.frames[0]
    tags = next(file.tags for file in files if file.path == first.path)
    paths = tuple(dict.fromkeys(frame.path for frame in grid.frames))
    frames_of = {file.path: file.frames for file in files}
    among = volumes_of(frame for path in paths for frame in frames_of[path])
    channel = next(n for n, other in enumerate(among) if first in other)
    image = ImageFile(paths, channel if len(among) > 1 else None)
    tags = replace(
        tags,
        echo_time=next((f.echo_time for f in grid.frames if f.echo_time is not None), None),
        image_type=next((f.image_type for f in grid.frames if f.image_type), ()),
    )
    return Series(
        tags, grid.frames, grid.shape, grid.affine, image, (*notes, *_cut_up(grid.frames))
    )


def _cut_up(frames: Sequence[Frame]) -> tuple[str, ...]:
    """Differences between the slices of one volume, as a sentence."""
    times = echo_times(frames)
    kinds = {frame.image_type for frame in frames}
    differences = [f"echo times of {times[0]:g} to {times[-1]:g} ms"] if len(times) > 1 else []
    differences += [f"{len(kinds)} kinds of ImageType"] if len(kinds) > 1 else []
    return (f"one volume of slices with {' and '.join(differences)}",) if differences else ()


def _without_foreign(files: list[DicomFile]) -> tuple[list[DicomFile], tuple[str, ...]]:
    """The MR images among files, if there are any."""
    images = [file for file in files if not file.foreign]
    left_out = len(files) - len(images)
    if not images or not left_out:
        return files, ()
    return images, (f"{left_out} files that are not MR images were left out",)


def _refused(files: Sequence[DicomFile], problem: FormatError) -> RefusedSeries:
    problem.path = files[0].tags.label
    return RefusedSeries(files[0].tags, tuple(file.path for file in files), str(problem))
