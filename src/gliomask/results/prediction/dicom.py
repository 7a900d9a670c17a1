"""Masks as DICOM, drawn on the series that the mask lies on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from gliomask.core.case import Case
from gliomask.core.geometry import same_place
from gliomask.core.regions import REGIONS, region_masks
from gliomask.core.volume import BEST_SHOWN, Volume
from gliomask.errors import CaseError
from gliomask.formats.dicom_out.segments import DrawnSegments, Maker
from gliomask.formats.dicom_out.written_objects import WrittenObject
from gliomask.formats.images import is_series
from gliomask.results.prediction.outcome import Outcome

DicomWriter = Callable[[Path, DrawnSegments, Sequence[Path], Maker], WrittenObject]


def is_dicom_case(case: Case) -> bool:
    """True for a case all of whose images are DICOM series."""
    return all(is_series(image.paths) for image in case.images.values())


def write_dicom(path: Path, outcome: Outcome, writer: DicomWriter) -> WrittenObject:
    """Writes the regions of a prediction as a DICOM object.

    Args:
        path: of the object.
        outcome: result to write.
        writer: ``write_dicom_seg`` or ``write_rtstruct``.

    Raises:
        CaseError: none of the case's images is a DICOM series on the grid of the mask.
    """
    prediction = outcome.prediction
    drawn = DrawnSegments(
        region_masks(prediction.mask, prediction.regions),
        tuple(REGIONS[region] for region in prediction.regions),
        prediction.affine,
    )
    weights = prediction.provenance.get("weights_sha256")
    maker = Maker(prediction.model, version("gliomask"), str(weights or ""))
    return writer(path, drawn, source_files(outcome.case, outcome.volume), maker)


def source_files(case: Case, volume: Volume) -> tuple[Path, ...]:
    """The files of the series that the mask lies on, the one that shows most if there are more.

    Raises:
        CaseError: none of the case's images is a DICOM series on its grid; or its file has other
            volumes, too.
    """
    from gliomask.formats.dicom.read import series_grid

    ranked = [name for name in BEST_SHOWN if name in case.images]
    for name in ranked:
        image = case.images[name]
        if not is_series(image.paths):
            continue
        grid = series_grid(image.paths, image.channel)
        if grid.shape == volume.shape and same_place(grid.affine, volume.affine, volume.shape):
            if image.channel is not None:
                what = "one of several volumes in one file, on which no DICOM object can be drawn"
                raise CaseError(what, path=image.paths[0], option="write")
            return image.paths
    raise CaseError(
        f"{case.id}: no DICOM series on the grid of the mask to draw it on",
        option="write",
        found=", ".join(str(image) for image in case.images.values()),
        hint="DICOM objects can be written for DICOM input only",
    )
