"""A corrected mask: checked against its case, measured and written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from gliomask.config.correct import CorrectOptions
from gliomask.core.geometry import same_place
from gliomask.core.labels import LabelArray
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.regions import REGIONS, region_masks
from gliomask.core.volume import Affine
from gliomask.errors import CaseError, InputError, PackageError, UnchangedError
from gliomask.formats.content import read_start
from gliomask.formats.dicom_out.segments import Correction, DrawnSegments, Maker
from gliomask.formats.editable_case import ENDING, FIRST, SOURCE, EditableCase
from gliomask.formats.nifti import read_nifti_labels, write_nifti
from gliomask.formats.volumes import NIFTI, NRRD
from gliomask.results.correction.editable import DICOM_ENDINGS
from gliomask.results.correction.numbering import own_numbers
from gliomask.results.prediction.dicom import DicomWriter

_HINT: Final = "save the mask on the grid of the one that was corrected"
_NRRD: Final = b"NRRD"


@dataclass(frozen=True)
class RegionChange:
    """Change of a region by a correction.

    Attributes:
        added_voxels, removed_voxels: number of changed voxels.
        added_ml, removed_ml: their volumes.
        volume_ml: of the region now.
    """

    added_voxels: int
    removed_voxels: int
    added_ml: float
    removed_ml: float
    volume_ml: float


@dataclass(frozen=True)
class CorrectedMask:
    """A correction that was written.

    Attributes:
        sha256: of the mask file.
        changes: changes of each region.
        files: names of the files, the mask first.
        notes: notes for users.
    """

    sha256: str
    changes: Mapping[str, RegionChange]
    files: tuple[str, ...]
    notes: tuple[str, ...]


def write_corrected(options: CorrectOptions, case: EditableCase) -> CorrectedMask:
    """Write a corrected mask, and its DICOM objects if the case has them.

    Args:
        options: of the correction.
        case: case of the mask.

    Raises:
        FormatError: the mask can't be read.
        CaseError: it is not on the grid of the case, or contains other numbers.
        UnchangedError: it changes nothing.
    """
    numbers, affine = read_nifti_labels(options.base)
    before: LabelArray = numbers.astype(np.uint8)
    after = _checked(options, case, before, affine)
    regions = tuple(region.name for region in case.regions)
    path = options.out / f"{options.name}_mask{ENDING}"
    write_nifti(path, after, affine, RESEARCH_USE_ONLY)
    segments = DrawnSegments(
        region_masks(after, regions), tuple(REGIONS[region] for region in regions), affine
    )
    written, notes = _write_dicom(options, case, segments)
    return CorrectedMask(
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        changes=_changes(before, after, regions, case.voxel_ml),
        files=(path.name, *written),
        notes=notes,
    )


def _checked(
    options: CorrectOptions, case: EditableCase, before: LabelArray, affine: Affine
) -> LabelArray:
    """Read the mask in the numbers of its case; the header is checked before the voxels are
    read."""
    path = options.drawn
    codec = (NRRD if read_start(path, len(_NRRD)) == _NRRD else NIFTI).codec
    header = codec.read_header(path)
    shape = header.shape if header.volumes == 1 else (*header.shape, header.volumes)
    if shape != before.shape:
        raise CaseError(
            "not on the grid of the mask",
            field="shape",
            found=shape,
            allowed=str(before.shape),
            hint=_HINT,
        )
    if not same_place(header.affine, affine, before.shape):
        raise CaseError(
            "not at the position of the mask",
            field="affine",
            found=header.affine[:3].round(3).tolist(),
            allowed=affine[:3].round(3).tolist(),
            hint=_HINT,
        )
    numbers, _ = codec.read_labels(path)
    numbers = own_numbers(path, numbers, options.names, case)
    allowed = (0, *sorted(region.number for region in case.regions))
    strange = sorted(set(np.unique(numbers).tolist()) - set(allowed))
    if strange:
        text = ", ".join(map(str, allowed))
        raise CaseError("unknown label numbers", field="voxels", found=strange[0], allowed=text)
    after: LabelArray = numbers.astype(np.uint8)
    if np.array_equal(after, before):
        raise UnchangedError("nothing was changed: it is equal to the mask that it was drawn on")
    return after


def _changes(
    before: LabelArray, after: LabelArray, regions: tuple[str, ...], voxel_ml: float
) -> dict[str, RegionChange]:
    pairs = zip(region_masks(before, regions), region_masks(after, regions), strict=True)
    changes = {}
    for region, (old, new) in zip(regions, pairs, strict=True):
        added, removed = int((new & ~old).sum()), int((old & ~new).sum())
        volume = int(new.sum()) * voxel_ml
        changes[region] = RegionChange(added, removed, added * voxel_ml, removed * voxel_ml, volume)
    return changes


def _write_dicom(
    options: CorrectOptions, case: EditableCase, segments: DrawnSegments
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Objects of the kinds that the network's mask has: names of their files, and notes."""
    written, notes = [], []
    for ending in DICOM_ENDINGS:
        first = options.case / f"{FIRST}{ending}"
        if not first.is_file() or not (options.case / SOURCE).is_dir():
            continue
        path = options.out / f"{options.name}{ending}"
        correction = _reference(first, options.author)
        maker = Maker(case.model, version("gliomask"), case.weights, correction=correction)
        sources = sorted((options.case / SOURCE).iterdir())
        try:
            _writer(path)(path, segments, sources, maker)
            written.append(path.name)
        except (InputError, PackageError) as problem:
            notes.append(f"{ending} could not be written: {problem}")
    return tuple(written), tuple(notes)


def _writer(path: Path) -> DicomWriter:
    """pydicom and highdicom are loaded where they are needed."""
    if path.name.endswith(DICOM_ENDINGS[0]):
        from gliomask.core.extras import load_extra

        writer: DicomWriter = load_extra("gliomask.formats.dicom_out.seg").write_dicom_seg
        return writer
    from gliomask.formats.dicom_out.rtstruct import write_rtstruct

    return write_rtstruct


def _reference(first: Path, author: str) -> Correction:
    from pydicom import dcmread

    tags: list[str] = ["SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID"]
    header = dcmread(first, stop_before_pixels=True, specific_tags=tags)
    return Correction(
        author, str(header.SOPClassUID), str(header.SOPInstanceUID), str(header.SeriesInstanceUID)
    )
