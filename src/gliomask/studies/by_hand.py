"""The user's assignment of files or DICOM series to sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from gliomask.core.case import Case, ImageFile
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.folders import pictures, stem
from gliomask.datasets.name_reading import read_name
from gliomask.errors import InputError, nearest
from gliomask.formats.dicom.tags import SeriesTags
from gliomask.studies.dicom_dates import first_acquisition, study_date
from gliomask.studies.dicom_files import holds_dicom
from gliomask.studies.dicom_picks import BY_HAND, TOLD, is_uid
from gliomask.studies.dicom_study import only_series
from gliomask.studies.loose_files import case_of_images
from gliomask.studies.survey import Surveyed

Meant = TypeVar("Meant")


def by_sequence(given: Mapping[str, Meant]) -> dict[str, Meant]:
    """Assignment by the names of ``core.volume.SEQUENCES``; other spellings are understood.

    Raises:
        InputError: a name that means no sequence; a sequence given twice.
    """
    found: dict[str, Meant] = {}
    for name, what in given.items():
        sequence = name if name in SEQUENCES else read_name(name).sequence
        if sequence is None:
            hint, allowed = nearest(name, SEQUENCES), ", ".join(SEQUENCES)
            raise InputError(
                "no sequence", field="sequence", found=name, allowed=allowed, hint=hint
            )
        if sequence in found:
            raise InputError("given twice", field="sequence", found=sequence)
        found[sequence] = what
    return found


def case_by_hand(given: Mapping[str, Path]) -> Case:
    """The case of files, or of folders of one image each, whose sequences are given.

    Raises:
        InputError: as ``by_sequence``; no image at a path.
    """
    found = {sequence: _image_at(path) for sequence, path in by_sequence(given).items()}
    first = next(iter(given.values()))
    images = {sequence: image for sequence, (image, _) in found.items()}
    case = case_of_images(images, stem(first.name), first.parent)
    tags = [tags for _, tags in found.values() if tags is not None]
    dates = {study_date(one.study_date) for one in tags}
    day = dates.pop() if len(dates) == 1 else None
    return replace(case, study_date=day, acquired=first_acquisition(tags))


def check_picks(picks: Mapping[str, str], found: Surveyed) -> None:
    """Check that each series chosen by the user exists in at least one study.

    Raises:
        InputError: it isn't; what there is is told.
    """
    if not picks:
        return
    if not found.series:
        raise InputError(
            "a series can be chosen only among DICOM series, and there are none",
            option="series",
            found=", ".join(f"{sequence}={wanted}" for sequence, wanted in picks.items()),
            hint="name files by sequence, `predict flair=FILE`",
        )
    if not found.cases and len(found.problems) == 1:
        raise InputError(f"{found.problems[0].case}: {found.problems[0].reason}")
    for sequence, wanted in picks.items():
        if is_uid(wanted) and not any(
            one.sequence == sequence and one.evidence.startswith(BY_HAND) for one in found.series
        ):
            told = [f"{one.series} ({one.series_uid})" for one in found.series]
            more = f" and {len(told) - TOLD} more" if len(told) > TOLD else ""
            there = f"{', '.join(told[:TOLD])}{more}"
            raise InputError(f"{sequence}={wanted} is no series; there are {there}")


def _image_at(path: Path) -> tuple[ImageFile, SeriesTags | None]:
    """A file, or a folder of pictures or of one DICOM series, with the tags of the last."""
    if not path.exists():
        raise InputError("no image there", path=path)
    if not path.is_dir():
        return ImageFile((path,)), None
    if slices := pictures(path):
        return ImageFile(tuple(slices)), None
    if not holds_dicom(path):
        raise InputError("no image there", path=path)
    series = only_series(path)
    return series.image, series.tags
