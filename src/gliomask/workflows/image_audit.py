"""The images of a case by their headers: what is told of each, and whether they fit together."""

from __future__ import annotations

from dataclasses import replace

from gliomask.core.case import Case, ImageFile
from gliomask.core.geometry import axis_codes, spacing_mm
from gliomask.datasets.dicom_audit import SeriesAudit
from gliomask.datasets.load import check_grids
from gliomask.errors import CaseError, FormatError
from gliomask.formats.headers import image_header
from gliomask.workflows.one_grid import HINT


def audit_images(case: Case) -> tuple[SeriesAudit, ...]:
    """What is told of images that are no DICOM series: their names and their grids."""
    return tuple(_audit(case, sequence, file) for sequence, file in case.images.items())


def check_headers(case: Case) -> None:
    """Whether the headers say that the images lie on one grid, as ``load_on_one_grid`` wants it.

    Raises:
        CaseError: they don't, or an image can't be used.
    """
    try:
        headers = {name: image_header(file) for name, file in case.images.items()}
    except FormatError as problem:
        raise CaseError(f"{case.id}: {problem}") from problem
    placed = all(header.has_world for header in headers.values())
    grids = {name: (header.shape, header.affine) for name, header in headers.items()}
    check_grids(case, grids, HINT if placed else None)


def called(file: ImageFile) -> str:
    """What a person calls an image: the name of its file, or of the folder of its slices."""
    one = file.paths[0] if len(file.paths) == 1 else file.paths[0].parent
    return one.name if file.channel is None else f"{one.name}[{file.channel}]"


def _audit(case: Case, sequence: str, file: ImageFile) -> SeriesAudit:
    told = SeriesAudit(
        patient=case.patient,
        study="",
        series_uid="",
        series=called(file),
        study_date="",
        study_description="",
        description="",
        sequence=sequence,
        evidence="by its name",
        axes="",
        shape=None,
        spacing_mm=None,
        slice_thickness_mm=None,
        contrast="",
        problems=(),
        used=True,
        case=case.id,
    )
    try:
        header = image_header(file)
    except FormatError as problem:
        return replace(told, problems=(str(problem),), used=False)
    if not header.has_world:
        return replace(told, shape=header.shape, problems=("a picture has no millimetres",))
    axes, spacing = axis_codes(header.affine), spacing_mm(header.affine)
    return replace(told, axes=axes, shape=header.shape, spacing_mm=spacing)
