"""The header of one DICOM file: which series it belongs to, and the frames in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import (
    UID,
    EnhancedMRImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MediaStorageDirectoryStorage,
    MRImageStorage,
)

from gliomask.errors import FormatError
from gliomask.formats.dicom import enhanced, pixel_format, tags
from gliomask.formats.dicom import frame as frames
from gliomask.formats.dicom.content import decoding, read_dataset
from gliomask.formats.dicom.frame import Frame
from gliomask.formats.dicom.tags import SeriesTags, series_tags
from gliomask.formats.dicom.values import plain_text, text

_MANY_FRAMES = (EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage)
_READ = (MRImageStorage, *_MANY_FRAMES)
_KEYWORDS = (*frames.KEYWORDS, *pixel_format.KEYWORDS, *tags.KEYWORDS, *enhanced.KEYWORDS)


@dataclass(frozen=True, eq=False)
class DicomFile:
    """Header of a DICOM file.

    Attributes:
        path: of the file.
        instance: its SOPInstanceUID.
        tags: of the series, as this file has them.
        frames: all of its frames; none if there is a problem.
        problem: why it is no slice of an MR series, one line; None if it is.
        directory: it is a DICOMDIR, which describes other files.
    """

    path: Path
    instance: str
    tags: SeriesTags
    frames: tuple[Frame, ...] = ()
    problem: str | None = None
    directory: bool = False


def read_file(path: Path) -> DicomFile:
    """The header of a file. What is wrong with the image is a problem, not an error.

    Raises:
        FormatError: not readable as DICOM at all.
        MachineError: the disk failed.
    """
    dataset = read_dataset(path, _KEYWORDS)
    with decoding(path):
        tags, kind = series_tags(dataset), _sop_class(dataset)
        if kind in _MANY_FRAMES:
            tags = enhanced.enhanced_tags(tags, dataset)
        instance = text(dataset, "SOPInstanceUID")
    if kind == MediaStorageDirectoryStorage:
        return DicomFile(path, instance, tags, directory=True)
    try:
        with decoding(path):
            return DicomFile(path, instance, tags, _frames(path, dataset, kind, tags))
    except FormatError as problem:
        return DicomFile(path, instance, tags, problem=str(problem))


def _frames(path: Path, dataset: Dataset, kind: UID, tags: SeriesTags) -> tuple[Frame, ...]:
    if kind not in _READ:
        kind_text = plain_text(kind.name) or "nothing"
        allowed = ", ".join(uid.name for uid in _READ)
        raise FormatError("no MR image", field="SOPClassUID", found=kind_text, allowed=allowed)
    if not tags.series_uid:
        raise FormatError("a field is missing", field="SeriesInstanceUID", found="nothing")
    if "MOSAIC" in tags.image_type:
        kind_text = "\\".join(tags.image_type)
        what = "a mosaic: many slices in one picture"
        raise FormatError(what, field="ImageType", found=kind_text, allowed="single slices")
    pixels = pixel_format.pixel_format(dataset, path)
    if kind in _MANY_FRAMES:
        return enhanced.enhanced_frames(path, dataset, pixels)
    return (frames.classic_frame(path, dataset, pixels, tags.image_type),)


def _sop_class(dataset: Dataset) -> UID:
    named = text(dataset, "SOPClassUID") or text(dataset.file_meta, "MediaStorageSOPClassUID")
    return UID(named)
