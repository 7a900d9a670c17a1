"""Examinations with a folder for each sequence.

    EGD-0001/1_T1/NIFTI/T1.nii.gz        patient_7/T1/scan.nii.gz        scans/FLAIR/p1.nii.gz
    EGD-0001/4_FLAIR/NIFTI/FLAIR.nii.gz  patient_7/FLAIR/scan.nii.gz     scans/T1/p1.nii.gz

Folders called T1 and T2 may also be time points. So they are taken as sequences only if no file in
them names another sequence, and if a file or another folder confirms it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gliomask.datasets.case_names import has_case_name
from gliomask.datasets.folders import folders, volumes
from gliomask.datasets.name_reading import read_name, without_sequence
from gliomask.datasets.names import is_mask
from gliomask.datasets.questions import ask_files
from gliomask.errors import CaseError

_TIME_POINTS = frozenset({"t1", "t2"})
"""Sequences whose names are also used for time points."""
_DEPTH = 3

Scans = list[tuple[str, Path]]


def sequence_folders(folder: Path) -> tuple[Scans, tuple[str, ...]]:
    """Scans in those subfolders that are named like sequences, and notes on other subfolders.

    Returns:
        (name, path) of each scan; the name contains the sequence, as ``of_volumes`` expects. Empty
        unless there are folders for at least two sequences.

    Raises:
        CaseError: two folders are named like the same sequence.
    """
    named: dict[str, tuple[Path, Scans]] = {}
    others = []
    for place in folders(folder):
        scans = [(name, path) for name, path in _volumes_below(place) if not is_mask(name)]
        if not scans or is_mask(place.name):
            continue
        sequence = read_name(place.name).sequence
        if sequence is None:
            others.append(place.name)
            continue
        if sequence in named:
            first = named[sequence][0]
            what = f"two folders for {sequence}: {first.name} and {place.name}"
            hint = ask_files((first, place), sequence)
            raise CaseError(what, path=folder, hint=hint)
        named[sequence] = place, scans
    by_sequence = {sequence: scans for sequence, (_, scans) in named.items()}
    if len(by_sequence) < 2 or not _confirmed(by_sequence):
        return [], ()
    notes = (f"folders not used: {', '.join(others)}",) if others else ()
    return _with_names(by_sequence), notes


def _volumes_below(folder: Path, depth: int = _DEPTH) -> Scans:
    """Volumes in a folder, or in the only folder in it (``T1/NIFTI``)."""
    scans, below = volumes(folder), folders(folder)
    if scans or len(below) != 1 or not depth:
        return scans
    return _volumes_below(below[0], depth - 1)


def _confirmed(by_sequence: Mapping[str, Scans]) -> bool:
    """True if the folders are sequences, by the files in them."""
    readings = [
        (sequence, read_name(name)) for sequence, scans in by_sequence.items() for name, _ in scans
    ]
    if any(reading.other or reading.candidates - {sequence} for sequence, reading in readings):
        return False
    stated = any(reading.sequence for _, reading in readings)
    return stated or not _TIME_POINTS.issuperset(by_sequence)


def _with_names(by_sequence: Mapping[str, Scans]) -> Scans:
    """The scans with names that contain the sequence.

    One scan in each folder is one examination, whatever the names of the files are.
    """
    scans = [
        (_named(sequence, name), path)
        for sequence, files in by_sequence.items()
        for name, path in files
    ]
    alone = len(scans) == len(by_sequence)
    if alone and len({without_sequence(name) for name, _ in scans}) > 1:
        return [(sequence, files[0][1]) for sequence, files in by_sequence.items()]
    return scans


def _named(sequence: str, name: str) -> str:
    if read_name(name).sequence:
        return name
    return f"{name}_{sequence}" if has_case_name(name) else sequence
