"""Attributes of an image that a derived DICOM object needs.

Each value is checked against the standard. Invalid ones are omitted, so that written objects are
always valid; numbers too long for it are rounded to its 16 characters.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, dcmread
from pydicom.config import RAISE
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import DSfloat, format_number_as_ds, validate_value

from gliomask.core.atomic import writing
from gliomask.errors import FormatError, GliomaskError
from gliomask.formats.content import opened

Vector = npt.NDArray[np.float64]

_PATIENT = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
)
_STUDY = (
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
    "TimezoneOffsetFromUTC",
)
_EMPTY_ALLOWED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_IMAGE = (
    "SpecificCharacterSet",
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "PixelSpacing",
    "SliceThickness",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
    "Modality",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
_REQUIRED = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Rows",
    "Columns",
)
_SEXES = ("M", "F", "O", "")


def read_header(path: Path) -> Dataset:
    """The valid ones of the attributes that this file names, text as Unicode.

    Raises:
        FormatError: not DICOM, damaged, or without an attribute that an image must have.
    """
    attributes: list[Any] = [*_PATIENT, *_STUDY, *_IMAGE]
    try:
        # pydicom warns of values that aren't allowed; each is checked below.
        with opened(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = dcmread(file, stop_before_pixels=True, specific_tags=attributes)
            header = _valid(read)
    except (GliomaskError, MemoryError):
        raise
    except Exception as problem:
        # pydicom raises arbitrary exceptions for damaged bytes.
        raise FormatError(f"can't be read as DICOM: {problem}", path=path) from None
    for keyword in _REQUIRED:
        needed(header, keyword, path)
    return header


def copy_headers(paths: Sequence[Path], folder: Path) -> None:
    """Writes what ``read_header`` reads of each file to one of its own, without pixels.

    Objects can be drawn on the copies as on the files themselves, later and elsewhere.

    Args:
        paths: of images.
        folder: a new one.

    Raises:
        FormatError: see ``read_header``.
    """
    with writing(folder):
        folder.mkdir()
    for number, path in enumerate(paths):
        header = read_header(path)
        header.SpecificCharacterSet = "ISO_IR 192"  # text is Unicode by now
        meta = header.file_meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = header.SOPClassUID
        meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        with writing(folder):
            header.save_as(folder / f"{number:05}.dcm", enforce_file_format=True)


def patient_and_study(header: Dataset) -> Dataset:
    """Patient and study attributes of an image; attributes of type 2 are always present."""
    common = Dataset()
    valid = ("SeriesInstanceUID", "FrameOfReferenceUID", "PositionReferenceIndicator", "Modality")
    lossy = [keyword for keyword in _IMAGE if keyword.startswith("Lossy")]
    for keyword in (*_PATIENT, *_STUDY, *valid, *lossy):
        if keyword in header:
            common.add(header[keyword])
        elif keyword in _EMPTY_ALLOWED:
            setattr(common, keyword, "")
    return common


def needed(header: Dataset, keyword: str, path: Path) -> Any:
    """The value of a required attribute; FormatError with its name if there is none."""
    value = header.get(keyword)
    if value is None or value == "":
        what = "a required attribute is missing or not valid"
        raise FormatError(what, path=path, field=keyword, found=value)
    return value


def numbers(header: Dataset, keyword: str, count: int, path: Path) -> Vector:
    """The value of a required attribute of ``count`` finite numbers; otherwise FormatError."""
    value = needed(header, keyword, path)
    values = np.array(value, np.float64).reshape(-1)
    if len(values) != count or not np.isfinite(values).all():
        allowed = f"{count} numbers"
        raise FormatError("unusable", path=path, field=keyword, found=value, allowed=allowed)
    return values


def _valid(source: Dataset) -> Dataset:
    """The elements whose values the standard allows, text as Unicode without its old encoding."""
    valid = Dataset()
    for tag in source.keys():  # noqa: SIM118 - iterating a data set itself decodes its values
        try:
            element = source[tag]
            value = _plain_value(element)
            values = value if isinstance(value, MultiValue | list) else [value]
            if element.VR not in ("SQ", "DS"):  # checked item by item, and after rounding
                for each in values:
                    validate_value(element.VR, str(each) if element.VR == "IS" else each, RAISE)
            valid.add(DataElement(element.tag, element.VR, value))
        except (ValueError, TypeError, OverflowError):
            continue
    if valid.get("PatientSex", "") not in _SEXES:
        del valid.PatientSex
    return valid


def _plain_value(element: DataElement) -> Any:
    if element.VR == "SQ":
        return [_valid(item) for item in element.value]
    if element.VR == "PN":
        return str(element.value)
    return _decimals(element.value) if element.VR == "DS" else element.value


def _decimals(value: Any) -> Any:
    """Numbers as the up to 16 characters that they are allowed; writers often take more."""
    if isinstance(value, MultiValue | list):
        return [_decimals(each) for each in value]
    return None if value in (None, "") else DSfloat(format_number_as_ds(float(value)))
