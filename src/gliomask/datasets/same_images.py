"""Patients whose images are the same file: one patient under two names.

Data sets pass on each other's images under new names, and folders contain copies and links. Equal
names show that only where the names are known; equal bytes always do.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from gliomask.core.case import Case
from gliomask.core.counted import listed
from gliomask.core.volume import BEST_SHOWN

_LISTED = 5
_PROBE = 65_536
"""Bytes from the middle of a file that are compared before the whole file is."""


def join_same_images(cases: Sequence[Case]) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """The cases, those that share an image with one patient, and a line about each such patient.

    Compared is one image of a case: of the sequence that shows most, of a stack of slices the one
    in the middle. The patient is the first of the names. An image that more than half of all
    patients have is a placeholder: they stay apart, and a line says so. Files that can't be read
    are left to their reader.
    """
    shown = [(case, path) for case in cases if (path := _image(case)) is not None]
    for key in (_size, _probe):
        shown = _alike(shown, key)
    names: dict[str, str] = {}
    lines = []
    all_patients = len({case.patient for case in cases})
    for same in _groups(shown, _digest):
        sharing = sorted({case.patient for case, _ in same})
        if 2 * len(sharing) > all_patients:
            lines.append(
                f"{listed(sharing, _LISTED)} have the same image, and are treated as different"
            )
        else:
            _join(names, sharing)
    patients = {patient: _first(names, patient) for patient in {case.patient for case in cases}}
    joined = defaultdict(list)
    for patient, name in sorted(patients.items()):
        if patient != name:
            joined[name].append(patient)
    for name, others in joined.items():
        same_as = f"{listed(others, _LISTED)} and {name} have the same image"
        lines.append(f"{same_as}: treated as one patient, {name}")
    return tuple(replace(case, patient=patients[case.patient]) for case in cases), tuple(lines)


_Shown = tuple[Case, Path]


def _image(case: Case) -> Path | None:
    sequence = next((s for s in BEST_SHOWN if s in case.images), None)
    if sequence is None:
        return None
    paths = case.images[sequence].paths
    return paths[len(paths) // 2]


def _groups(shown: Iterable[_Shown], key: Callable[[Path], Hashable]) -> list[list[_Shown]]:
    """The images of several patients that have a key in common."""
    groups: dict[Hashable, list[_Shown]] = defaultdict(list)
    for case, path in shown:
        try:
            groups[key(path)].append((case, path))
        except OSError:
            continue
    return [same for same in groups.values() if len({case.patient for case, _ in same}) > 1]


def _alike(shown: Iterable[_Shown], key: Callable[[Path], Hashable]) -> list[_Shown]:
    return [entry for same in _groups(shown, key) for entry in same]


def _size(path: Path) -> Hashable:
    return path.stat().st_size


def _probe(path: Path) -> Hashable:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size // 2 - _PROBE // 2))
        return size, file.read(_PROBE)


def _digest(path: Path) -> Hashable:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _join(names: dict[str, str], patients: Sequence[str]) -> None:
    firsts = {_first(names, patient) for patient in patients}
    names.update(dict.fromkeys(firsts, min(firsts)))


def _first(names: dict[str, str], patient: str) -> str:
    while names.get(patient, patient) != patient:
        patient = names[patient]
    return patient
