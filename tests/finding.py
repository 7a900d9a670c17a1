"""Short cuts through the readers of studies and pictures, for tests of what these read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gliomask.core.case import Case
from gliomask.core.volume import FloatArray
from gliomask.datasets.find import is_synthetic
from gliomask.errors import CaseError, LayoutError
from gliomask.formats.archive import unpacked
from gliomask.formats.pictures import pick_channel, read_stack
from gliomask.studies.dicom_files import files_below
from gliomask.studies.dicom_study import DicomStudies, studies_of_files
from gliomask.studies.find import NO_CHOICES, survey


def find_studies(
    inputs: Sequence[Path], given: Mapping[str, Path] = NO_CHOICES
) -> tuple[Case, ...]:
    """The cases of inputs, all of them usable; ``CaseError`` for the first that is not."""
    cases, problems = survey(inputs, given)
    if problems:
        more = f" (and {len(problems) - 1} more can't be used)" if problems[1:] else ""
        raise CaseError(f"{problems[0].case}: {problems[0].reason}{more}")
    return cases


def find_dicom_studies(folder: Path) -> DicomStudies:
    """The DICOM studies in a folder and all folders below it."""
    found = studies_of_files(files_below(folder), synthetic=is_synthetic(folder))
    if not found.audits and not found.problems:
        raise LayoutError(f"no DICOM among {found.skipped} files", path=folder)
    return found


@contextmanager
def dicom_studies(place: Path) -> Iterator[DicomStudies]:
    """The same of a folder or a zip archive, which stays unpacked while the block runs."""
    with unpacked(place) as folder:
        yield find_dicom_studies(folder)


def read_pictures(paths: Sequence[Path], channel: int | None = None) -> FloatArray:
    """One channel of a stack of pictures (I, J, K)."""
    return pick_channel(read_stack(paths), channel, paths[0])
