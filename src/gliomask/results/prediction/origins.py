"""Origin of the images of a result, to recognise results of the same examination."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from gliomask.core.case import Case
from gliomask.errors import CaseError, option, same_with
from gliomask.formats.case_record import CaseRecord


def origins_of(case: Case, names: Mapping[Path, str]) -> dict[str, str]:
    """Sequence -> where its image came from.

    Args:
        case: with the images.
        names: folder -> its name in records: for an unpacked archive, the archive.
    """
    origins = {name: str(Path(str(image)).absolute()) for name, image in case.images.items()}
    for place, text in names.items():
        origins = {name: origin.replace(str(place), text) for name, origin in origins.items()}
    return origins


def is_of_other_study(case: Case, record: CaseRecord) -> bool:
    """Return True if a case and a record are of different DICOM studies."""
    return bool(case.study_uid and record.study_uid and case.study_uid != record.study_uid)


def check_same_examination(
    case: Case,
    earlier: CaseRecord,
    origins: Mapping[str, str],
    out: Path,
    *,
    replaceable: bool = True,
) -> None:
    """Refuse to replace the result of another study, or of an examination from other folders.

    Args:
        case: to be written.
        origins: of its images.
        earlier: the record of its name in ``out``.
        replaceable: ``again`` would replace the result.

    Raises:
        CaseError: their DICOM studies differ, or they have no folder in common.
    """
    elsewhere = option("out")
    or_again = f", or replace it: {same_with(('again', True))}" if replaceable else ""
    if is_of_other_study(case, earlier):
        what = f"the folder contains the result {case.id} of another study"
        hint = f"use another folder: {elsewhere}{or_again}"
        raise CaseError(what, path=out, field="StudyInstanceUID", hint=hint)
    new, old = (folders_of(images.values()) for images in (origins, earlier.images))
    if old and new and not old & new:
        raise CaseError(
            f"the folder contains the result {case.id} of other images, in {min(old)}",
            path=out,
            hint=f"use another folder for those in {min(new)}: {elsewhere}{or_again}",
        )


def folders_of(images: Iterable[str]) -> set[str]:
    """The folders of images according to a record."""
    return {str(Path(re.sub(r"\[\d+\]$", "", image)).absolute().parent) for image in images}
