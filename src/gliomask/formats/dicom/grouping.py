"""Grouping of DICOM files by series.

Files belong to one series if they have the same SeriesInstanceUID, or without one the same folder,
series number and description. Some archives write PatientID or StudyInstanceUID differently in a
part of a series ("P1", "p1", nothing), and each part alone would be accepted as a volume with some
of the slices. Parts that form one stack are therefore one series, or refused if they name two
patients. Other parts are kept separate, because some anonymisers give all patients the same UID.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

from gliomask.errors import FormatError
from gliomask.formats.dicom.file import DicomFile
from gliomask.formats.dicom.frame import Frame
from gliomask.formats.dicom.grid import arrange
from gliomask.formats.dicom.parts import interleaved

Files = list[DicomFile]


def files_by_series(files: Iterable[DicomFile]) -> tuple[list[Files], list[tuple[Files, str]]]:
    """Group files by series; files that are joined get the first PatientID and study UID.

    Returns:
        The series; and the stacks that contradict themselves, each with the name of the element.
    """
    series_parts: dict[tuple[str, ...], dict[tuple[str, str], Files]] = {}
    for file in files:
        tags = file.tags
        unnamed = (str(file.path.parent), tags.series_number, tags.description, tags.protocol)
        key = (tags.series_uid,) if tags.series_uid else unnamed
        owner = (tags.patient_id, tags.study_uid)
        series_parts.setdefault(key, {}).setdefault(owner, []).append(file)
    series: list[Files] = []
    refused: list[tuple[Files, str]] = []
    for owners in series_parts.values():
        parts = list(owners.values())
        if _one_stack(parts):
            parts = [[file for part in parts for file in part]]
        for part in parts:
            if differs := _contradiction(part):
                refused.append((part, differs))
            else:
                series.append(_of_one(part))
    return series, refused


def contradiction_error(differs: str) -> FormatError:
    """The error for one stack of slices with several values of an element such as PatientID."""
    what = "different values in one stack of slices with one SeriesInstanceUID"
    hint = "correct it, or give the slices of one patient only"
    return FormatError(what, field=differs, found="several", allowed="one", hint=hint)


def _one_stack(parts: Sequence[Files]) -> bool:
    """Return True if parts lie between each other, or form an even stack together."""
    if len(parts) == 1:
        return True
    frames = [[frame for file in part for frame in file.frames] for part in parts]
    if not all(frames):
        return False
    if any(interleaved(first, other) for first, other in combinations(frames, 2)):
        return True
    return _is_even([frame for part in frames for frame in part])


def _is_even(frames: Sequence[Frame]) -> bool:
    try:
        arrange(frames)
    except FormatError:
        return False
    return True


def _contradiction(files: Sequence[DicomFile]) -> str:
    """The first element that names several patients; empty if there is none.

    Empty values contradict nothing, and case and spaces of a PatientID are ignored.
    """
    values: dict[str, set[str]] = {}
    for file in files:
        patient = file.tags.patient_id.strip().casefold()
        for keyword, value in (("PatientID", patient), *file.tags.person):
            values.setdefault(keyword, set()).add(value)
    return next((keyword for keyword in values if len(values[keyword] - {""}) > 1), "")


def _of_one(files: Files) -> Files:
    patient = next((f.tags.patient_id for f in files if f.tags.patient_id), "")
    study = next((f.tags.study_uid for f in files if f.tags.study_uid), "")
    return [
        replace(file, tags=replace(file.tags, patient_id=patient, study_uid=study))
        for file in files
    ]
