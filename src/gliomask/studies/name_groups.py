"""Files of one folder as examinations, by what their names have in common.

Names of one examination are equal but for the sequence and the words for how an image was made. If
that leaves the numbers of series (``3 T1``, ``5 FLAIR``, ``smith_T1_4``), these are left out, too.
Several files of one sequence are one image in several versions (``T1_raw``, ``T1_to_SRI``) if
one version has all of at least three sequences.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from gliomask.core.case import ImageFile
from gliomask.datasets.name_reading import processing_of, read_name, without_sequence
from gliomask.errors import FormatError
from gliomask.formats.headers import image_header

_SPM = re.compile(r"i?y_|BiasField_|m?[rsw]*m?(?:w?c[1-6])?")
"""What SPM writes before the name of a file: realigned, smoothed, modulated images, tissue maps."""
_TIME_POINT = re.compile(r"t\d", re.IGNORECASE)
_FEWEST = 3
"""Number of sequences from which numbers are those of series, and files are versions of images. Two
files may be of two patients."""
_NUMBERS = (re.compile(r"^\d{1,5}(-|$)"), re.compile(r"(^|-)\d{1,5}[a-z]?$"))
"""The number of a series at the beginning or the end of what names have in common."""
Version = tuple[str, ...]
"""Words in a name for the processing of an image."""


@dataclass(frozen=True)
class SequenceFile:
    """An image file whose name states its sequence, without the suffix."""

    name: str
    sequence: str
    path: Path


@dataclass(frozen=True)
class NameGroup:
    """The images of one examination.

    Attributes:
        name: what their names have in common.
        images: sequence -> file.
        left: other versions of them.
        numbers: whether numbers in the names were taken for those of series.
    """

    name: str
    images: dict[str, Path]
    left: tuple[Path, ...] = ()
    numbers: bool = False


@dataclass(frozen=True)
class Twins:
    """Two files of one sequence that can't be distinguished."""

    sequence: str
    paths: tuple[Path, Path]


def grouped(files: Sequence[SequenceFile]) -> tuple[NameGroup, ...] | Twins | None:
    """Group files into examinations that each have the same sequences.

    Returns:
        The groups in the order of the files; two files of one sequence; or None if it isn't clear
        which files belong together.
    """
    exact = _grouped(files, without_sequence)
    if isinstance(exact, Twins) or _alike(exact):
        return exact
    doubt = None
    for number in _NUMBERS:
        of_series = _grouped(files, partial(_without, number))
        if isinstance(of_series, Twins):
            doubt = of_series if len(exact) == len(files) else doubt
        elif _alike(of_series) and _enough(of_series):
            return tuple(replace(group, numbers=True) for group in of_series)
    return doubt


def written_by_spm(names: Collection[str]) -> set[str]:
    """The names that are another one behind a prefix of SPM (``wP1_T1``, ``c1P1_T1``).

    >>> sorted(written_by_spm(["P1_T1", "c1P1_T1", "wmP1_T1", "CP1_T1"]))
    ['c1P1_T1', 'wmP1_T1']
    """
    return {
        name
        for name in names
        if (match := _SPM.match(name)) and match[0] and name[match.end() :] in names
    }


def without_time_point(
    files: Sequence[tuple[str, Path]], folder: str
) -> Sequence[tuple[str, Path]]:
    """Files with names without the time point that a folder ``t0``, ``t1`` or ``t2`` is called.

    All names must contain it (``t2/1_t2_t1gd``, ``t2/1_t2_flair``), and state an image without it.
    """
    if not _TIME_POINT.fullmatch(folder):
        return files
    token = re.compile(rf"(?<![A-Za-z0-9]){folder}(?![A-Za-z0-9])", re.IGNORECASE)
    named = [(token.sub("", name, count=1).strip("-_ ."), path) for name, path in files]
    pairs = [(old, new) for (old, _), (new, _) in zip(files, named, strict=True)]
    return named if all(new != old and _states_alike(old, new) for old, new in pairs) else files


def _states_alike(old: str, new: str) -> bool:
    """Return True if a name still states an image, if it clearly did before."""
    before, after = read_name(old), read_name(new)
    return bool(after.weightings or after.other or before.unknown or not before.weightings)


def _without(number: re.Pattern[str], name: str) -> str:
    return number.sub("", without_sequence(name))


def _alike(groups: Sequence[NameGroup]) -> bool:
    return len({frozenset(group.images) for group in groups}) == 1


def _enough(groups: Sequence[NameGroup]) -> bool:
    return all(len(group.images) >= _FEWEST for group in groups)


def _grouped(
    files: Sequence[SequenceFile], key: Callable[[str], str]
) -> tuple[NameGroup, ...] | Twins:
    groups: dict[str, list[SequenceFile]] = {}
    for file in files:
        groups.setdefault(key(file.name), []).append(file)
    chosen: list[NameGroup] = []
    for name, members in groups.items():
        group = _one_version(name, members)
        if isinstance(group, Twins):
            return group
        chosen.append(group)
    return tuple(chosen)


def _one_version(name: str, files: Sequence[SequenceFile]) -> NameGroup | Twins:
    """The files of one examination, one for each sequence.

    Of several versions of the images, that with all sequences: best on one grid, with the fewest
    processing steps. dcm2niix's ``_Eq`` replaces the image whose slices are not evenly spaced.
    """
    versions: dict[Version, dict[str, Path]] = {}
    for file in _evenly_spaced(files):
        version = versions.setdefault(processing_of(file.name), {})
        if file.sequence in version:
            return Twins(file.sequence, (version[file.sequence], file.path))
        version[file.sequence] = file.path
    everything = {file.sequence for file in files}
    whole = [version for version, images in versions.items() if images.keys() == everything]
    if len(versions) > 1 and (not whole or len(everything) < _FEWEST):
        merged: dict[str, Path] = {}
        for images in versions.values():
            for sequence, path in images.items():
                if sequence in merged:
                    return Twins(sequence, (merged[sequence], path))
                merged[sequence] = path
        return NameGroup(name, merged, _others(files, merged))
    best = min(whole, key=lambda v: (not _on_one_grid(versions[v]), len(v), v))
    return NameGroup(name, versions[best], _others(files, versions[best]))


def _others(files: Sequence[SequenceFile], images: dict[str, Path]) -> tuple[Path, ...]:
    used = set(images.values())
    return tuple(file.path for file in files if file.path not in used)


def _evenly_spaced(files: Sequence[SequenceFile]) -> list[SequenceFile]:
    """The files without those that dcm2niix wrote again with slices at even distances."""
    names = {file.name.lower() for file in files}
    again = {name for name in names if f"{name}_eq" in names or f"{name}_eq_1" in names}
    return [file for file in files if file.name.lower() not in again]


def _on_one_grid(images: dict[str, Path]) -> bool:
    """Return True if the headers of images state one grid."""
    try:
        first, *others = [image_header(ImageFile((path,))) for path in images.values()]
    except FormatError:
        return False
    return all(
        other.shape == first.shape and np.allclose(other.affine, first.affine, atol=1e-3)
        for other in others
    )
