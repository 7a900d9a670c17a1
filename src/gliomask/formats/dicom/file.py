"""Header of a DICOM file: its series and its frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import (
    UID,
    EnhancedMRColorImageStorage,
    EnhancedMRImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MediaStorageDirectoryStorage,
    MRImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from gliomask.errors import FormatError
from gliomask.formats.dicom import enhanced, pixel_format, tags
from gliomask.formats.dicom import frame as frames
from gliomask.formats.dicom.content import decoding, read_dataset
from gliomask.formats.dicom.frame import Frame
from gliomask.formats.dicom.tags import SeriesTags, series_tags
from gliomask.formats.dicom.values import has, plain_text, text

_READ = (MRImageStorage, EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage)
_READ_IF_MR = (
    UID(""),
    SecondaryCaptureImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    EnhancedMRColorImageStorage,
)
"""SOP classes that may contain an MR image, depending on the Modality."""
_GROUPS = "PerFrameFunctionalGroupsSequence"
_KEYWORDS = (
    "Modality",
    *frames.KEYWORDS,
    *pixel_format.KEYWORDS,
    *tags.KEYWORDS,
    *enhanced.KEYWORDS,
)


@dataclass(frozen=True, eq=False)
class DicomFile:
    """Header of a DICOM file.

    Attributes:
        path: of the file.
        instance: its SOPInstanceUID.
        tags: of the series, as this file has them.
        frames: all of its frames; none if there is a problem.
        problem: reason why it is not a slice of an MR series, one line; None if it is.
        directory: it is a DICOMDIR, which describes other files.
        foreign: its class is none of MR images; among these, it is not a slice.
    """

    path: Path
    instance: str
    tags: SeriesTags
    frames: tuple[Frame, ...] = ()
    problem: str | None = None
    directory: bool = False
    foreign: bool = False


def read_file(path: Path) -> DicomFile:
    """The header of a file. What is wrong with the image is a problem, not an error.

    Raises:
        FormatError: not readable as DICOM at all.
        MachineError: the disk failed.
    """
    dataset = read_dataset(path, _KEYWORDS)
    with decoding(path):
        tags, kind = series_tags(dataset), _sop_class(dataset)
        if has(dataset, _GROUPS):
            tags = enhanced.enhanced_tags(tags, dataset)
        instance = text(dataset, "SOPInstanceUID")
    if kind == MediaStorageDirectoryStorage:
        return DicomFile(path, instance, tags, directory=True)
    try:
        with decoding(path):
            return DicomFile(path, instance, tags, _frames(path, dataset, kind, tags))
    except FormatError as problem:
        foreign = kind not in _READ
        return DicomFile(path, instance, tags, problem=str(problem), foreign=foreign)


def _frames(path: Path, dataset: Dataset, kind: UID, tags: SeriesTags) -> tuple[Frame, ...]:
    if kind not in _READ and not (kind in _READ_IF_MR and text(dataset, "Modality") == "MR"):
        kind_text = plain_text(kind.name) or "nothing"
        allowed = ", ".join(uid.name for uid in _READ)
        raise FormatError("not an MR image", field="SOPClassUID", found=kind_text, allowed=allowed)
    if "MOSAIC" in tags.image_type:
        kind_text = "\\".join(tags.image_type)
        what = "a mosaic: many slices in one picture"
        hint = "convert it to NIfTI with dcm2niix, and use that file"
        raise FormatError(
            what, field="ImageType", found=kind_text, allowed="single slices", hint=hint
        )
    pixels = pixel_format.pixel_format(dataset, path)
    if has(dataset, _GROUPS) or kind in _READ[1:]:
        return enhanced.enhanced_frames(path, dataset, pixels)
    return frames.classic_frames(path, dataset, pixels, tags.image_type)


def _sop_class(dataset: Dataset) -> UID:
    named = text(dataset, "SOPClassUID") or text(dataset.file_meta, "MediaStorageSOPClassUID")
    return UID(named)
