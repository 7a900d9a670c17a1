"""The user's assignment of files or DICOM series to sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from gliomask.core.case import Case, ImageFile
from gliomask.core.counted import listed
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.folders import pictures, stem
from gliomask.datasets.name_reading import read_name
from gliomask.errors import InputError, nearest
from gliomask.formats.dicom.tags import SeriesTags
from gliomask.studies.dicom_dates import first_acquisition, study_date
from gliomask.studies.dicom_files import holds_dicom
from gliomask.studies.dicom_identity import two_people
from gliomask.studies.dicom_picks import BY_HAND, TOLD, is_uid
from gliomask.studies.dicom_study import only_series
from gliomask.studies.loose_files import case_of_images
from gliomask.studies.survey import SurveyResult

Meant = TypeVar("Meant")


def by_sequence(choices: Mapping[str, Meant]) -> dict[str, Meant]:
    """Assignment by the names of ``core.volume.SEQUENCES``; other spellings are understood.

    Raises:
        InputError: a name that means no sequence; a sequence given twice.
    """
    by_name: dict[str, Meant] = {}
    for name, what in choices.items():
        sequence = name if name in SEQUENCES else read_name(name).sequence
        if sequence is None:
            hint, allowed = nearest(name, SEQUENCES), ", ".join(SEQUENCES)
            raise InputError(
                "not a sequence", field="sequence", found=name, allowed=allowed, hint=hint
            )
        if sequence in by_name:
            raise InputError("given twice", field="sequence", found=sequence)
        by_name[sequence] = what
    return by_name


def chosen_case(choices: Mapping[str, Path]) -> Case:
    """The case of files, or of folders of one image each, whose sequences are given.

    Raises:
        InputError: as ``by_sequence``; no image at a path; DICOM series of two people.
    """
    by_name = {sequence: _image_at(path) for sequence, path in by_sequence(choices).items()}
    first = next(iter(choices.values()))
    images = {sequence: image for sequence, (image, _) in by_name.items()}
    notes = tuple(note for s, path in by_sequence(choices).items() for note in _other_name(s, path))
    case = case_of_images(images, stem(first.name), first.parent, notes)
    tags = [tags for _, tags in by_name.values() if tags is not None]
    if two := two_people(tags):
        hint = "give images of one person; if they are, convert them to NIfTI first"
        raise InputError(two, path=first.parent, hint=hint)
    dates = {study_date(header.study_date) for header in tags}
    day = dates.pop() if len(dates) == 1 else None
    studies = {header.study_uid for header in tags}
    study = studies.pop() if len(studies) == 1 else ""
    return replace(case, study_date=day, acquired=first_acquisition(tags), study_uid=study)


def _other_name(sequence: str, path: Path) -> tuple[str, ...]:
    """A note, if the name of a file clearly states another sequence."""
    named = read_name(stem(path.name)).sequence
    return (
        (f"{path.name} is used as {sequence}, as stated, but its name says {named}",)
        if named not in (None, sequence)
        else ()
    )


def check_picks(picks: Mapping[str, str], result: SurveyResult) -> None:
    """Check that each series chosen by the user exists in at least one study.

    Raises:
        InputError: it isn't; the available series are listed.
    """
    if not picks:
        return
    if not result.series:
        raise InputError(
            "a series can be chosen only among DICOM series, and there are none",
            option="series",
            found=", ".join(f"{sequence}={pick}" for sequence, pick in picks.items()),
            hint="give files by sequence, `predict flair=FILE`",
        )
    if not result.cases and len(result.problems) == 1:
        raise InputError(f"{result.problems[0].case}: {result.problems[0].reason}")
    for sequence, pick in picks.items():
        if is_uid(pick) and not any(
            series.sequence == sequence and series.evidence.startswith(BY_HAND)
            for series in result.series
        ):
            names = (f"{series.series} ({series.series_uid})" for series in result.series)
            existing = listed(names, TOLD)
            raise InputError(f"{sequence}={pick} is not a series; there are {existing}")


def _image_at(path: Path) -> tuple[ImageFile, SeriesTags | None]:
    """A file, or a folder of pictures or of one DICOM series, with the tags of the last."""
    if not path.exists():
        raise InputError("no such file or folder", path=path)
    if not path.is_dir():
        return ImageFile((path,)), None
    if slices := pictures(path):
        return ImageFile(tuple(slices)), None
    if not holds_dicom(path):
        raise InputError("contains no image", path=path)
    series = only_series(path)
    return series.image, series.tags
