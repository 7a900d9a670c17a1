"""Attributes of an image that a derived DICOM object needs.

Each element is checked against the standard: type (VR), number of values (VM), characters, and
for some the values themselves. Invalid ones are omitted, so that written objects are always valid
and nothing that is made of the values can fail; numbers too long for the standard are rounded to
its 16 characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VM, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import DA, DT, TM, DSfloat, format_number_as_ds, validate_value

from gliomask.core.atomic import writing
from gliomask.errors import FormatError
from gliomask.formats.dicom.content import decoding, read_dataset
from gliomask.formats.dicom.magic import is_dicom

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
    "SpacingBetweenSlices",
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
_ALLOWED = {
    "PatientSex": r"[MFO]?",
    "PatientIdentityRemoved": r"YES|NO",
    "LossyImageCompression": r"00|01",
    "TimezoneOffsetFromUTC": r"[+-](0\d|1[01])[0-5]\d|-1200|\+1[23][0-5]\d|\+1400",
}
"""Values that the standard allows, where the type of the element allows others."""
_CALENDAR = {"DA": DA, "TM": TM, "DT": DT}
"""These refuse days that no month has, and ranges."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def read_header(path: Path) -> Dataset:
    """The valid ones of the attributes that this file names, text as Unicode.

    Raises:
        FormatError: not DICOM, damaged, or without an attribute that an image must have.
    """
    dataset = read_dataset(path, (*_PATIENT, *_STUDY, *_IMAGE))
    if not is_dicom(path):  # any bytes can be parsed as elements
        raise FormatError("can't be read as DICOM: no preamble and no first element", path=path)
    with decoding(path):
        header = _valid(dataset)
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


def _valid(source: Dataset) -> Dataset:
    """The elements whose values the standard allows, text as Unicode without its old encoding."""
    valid = Dataset()
    for tag in source.keys():  # noqa: SIM118 - iterating a data set itself decodes its values
        element = _valid_element(source, tag)
        if element is not None:
            valid.add(element)
    return valid


def _valid_element(source: Dataset, tag: BaseTag) -> DataElement | None:
    try:
        return _checked(source[tag])
    except MemoryError:
        raise
    except Exception:
        # pydicom raises arbitrary exceptions for damaged values, and KeyError for private elements.
        return None


def _checked(element: DataElement) -> DataElement:
    """An element with its value as ``_valid`` has it; any exception if it isn't allowed."""
    tag, vr = element.tag, element.VR
    if vr not in dictionary_VR(tag).split(" or "):
        raise ValueError("another type")
    if element.VM > 1 and dictionary_VM(tag) == "1":
        raise ValueError("several values")
    value = _plain_value(element)
    for each in value if isinstance(value, MultiValue | list) else [value]:
        if vr in ("SQ", "DS"):  # checked item by item, and after rounding
            continue
        validate_value(vr, str(each) if vr == "IS" else each, RAISE)
        _CALENDAR.get(vr, str)(each)
        if _CONTROL.search(str(each)):
            raise ValueError("control characters")
    pattern = _ALLOWED.get(element.keyword)
    if pattern and not re.fullmatch(pattern, value or ""):
        raise ValueError("not one of the values")
    return DataElement(tag, vr, value)


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
