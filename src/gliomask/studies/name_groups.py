"""Files of one folder as examinations, by what their names have in common.

Names of one examination are equal but for the sequence and the words for how an image was made. If
that leaves the numbers of series (``3 T1``, ``5 FLAIR``, ``smith_T1_4``), these are left out, too.
Several files of one sequence are one image in several versions (``T1_raw``, ``T1_to_SRI``) if
one version has all of at least three sequences.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from gliomask.core.case import ImageFile
from gliomask.datasets.name_reading import processing_of, without_sequence
from gliomask.errors import FormatError
from gliomask.formats.headers import image_header

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
    """Two files of one sequence that can't be told apart."""

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
