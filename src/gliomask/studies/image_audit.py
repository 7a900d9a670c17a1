"""The images of a case by their headers: the facts about each, and whether they match."""

from __future__ import annotations

from dataclasses import replace

from gliomask.core.case import Case, ImageFile
from gliomask.core.geometry import axis_codes, same_place, spacing_mm
from gliomask.core.volume import best_shown
from gliomask.datasets.load import check_grids
from gliomask.errors import CaseError, FormatError
from gliomask.formats.headers import image_header
from gliomask.studies.dicom_audit import SeriesAudit


def audit_images(case: Case) -> tuple[SeriesAudit, ...]:
    """Audit of images that are not DICOM series: their names and grids."""
    return tuple(_audit(case, sequence, file) for sequence, file in case.images.items())


def other_grids(case: Case) -> dict[str, str]:
    """Sequence -> that ``predict`` will lay it onto another one; by the headers alone.

    Raises:
        CaseError: pictures on different grids, which have no millimetres to lay them onto each
            other by; or an image can't be used.
    """
    try:
        headers = {name: image_header(file) for name, file in case.images.items()}
    except FormatError as problem:
        raise CaseError(f"{case.id}: {problem}") from problem
    if not all(header.has_world for header in headers.values()):
        grids = {name: (header.shape, header.affine) for name, header in headers.items()}
        check_grids(case, grids)
        return {}
    reference = best_shown(tuple(headers))
    target = headers[reference]
    return {
        name: f"on another grid than {reference}: predict resamples it to that grid"
        for name, image_header_read in headers.items()
        if image_header_read.shape != target.shape
        or not same_place(image_header_read.affine, target.affine, target.shape)
    }


def called(file: ImageFile) -> str:
    """Name of an image for users: that of its file, or of the folder of its slices."""
    place = file.paths[0] if len(file.paths) == 1 else file.paths[0].parent
    return place.name if file.channel is None else f"{place.name}[{file.channel}]"


def _audit(case: Case, sequence: str, file: ImageFile) -> SeriesAudit:
    audited = SeriesAudit(
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
        return replace(audited, problems=(str(problem),), used=False)
    if not header.has_world:
        return replace(audited, shape=header.shape, problems=("a picture has no millimetres",))
    axes, spacing = axis_codes(header.affine), spacing_mm(header.affine)
    return replace(audited, axes=axes, shape=header.shape, spacing_mm=spacing)
