"""Descriptive attributes of a series."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from pydicom import Dataset

from gliomask.formats.dicom.values import clock, number, seconds, text, words

PERSON = ("PatientName", "PatientBirthDate", "PatientSex")
"""Elements that are the same in all images of one person."""
KEYWORDS = (
    *PERSON,
    "PatientID",
    "StudyInstanceUID",
    "StudyDate",
    "StudyDescription",
    "SeriesDate",
    "SeriesTime",
    "AcquisitionDateTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SeriesDescription",
    "ProtocolName",
    "FrameOfReferenceUID",
    "Manufacturer",
    "MagneticFieldStrength",
    "ImageType",
    "ScanningSequence",
    "SequenceVariant",
    "MRAcquisitionType",
    "EchoTime",
    "RepetitionTime",
    "InversionTime",
    "SliceThickness",
    "ContrastBolusAgent",
    "BodyPartExamined",
    "ContrastBolusStartTime",
    "DiffusionBValue",
)
"""The elements that ``series_tags`` reads."""
_TIMES = (
    ("AcquisitionDate", "AcquisitionTime"),
    ("SeriesDate", "SeriesTime"),
    ("StudyDate", "AcquisitionTime"),
    ("StudyDate", "SeriesTime"),
)
"""Where the time of a series may stand, the best first."""


@dataclass(frozen=True)
class SeriesTags:
    """The elements of a header by their DICOM names; text is one printable line, maybe empty.

    Attributes:
        patient_id: as it stands there: a value to distinguish patients, never part of a path.
        study_uid, study_date, study_description: of the study.
        series_uid, series_number, description, protocol: of the series.
        frame_of_reference: series that share it lie in one space.
        manufacturer, field_strength: of the scanner (tesla).
        image_type: the values, in capitals.
        scanning_sequence: of SE, IR, GR, EP, RM; empty if unknown.
        sequence_variant: of SK, MTC, SS, TRSS, SP, MP, OSP; empty if unknown.
        acquisition: ``2D``, ``3D`` or empty.
        echo_time, repetition_time, inversion_time: milliseconds, None if unknown.
        slice_thickness: millimetres, None if unknown.
        contrast_agent: empty if none is recorded.
        body_part: as it stands there, empty if unknown.
        person: digests of the present elements of ``PERSON``: (keyword, digest). The values
            themselves are not kept.
        acquired: when the series was acquired, and injected: when its contrast agent was; seconds
            to be compared within a study, None if unknown.
        b_value: of diffusion weighting, s/mm2, None if unknown.
    """

    patient_id: str = ""
    study_uid: str = ""
    study_date: str = ""
    study_description: str = ""
    series_uid: str = ""
    series_number: str = ""
    description: str = ""
    protocol: str = ""
    frame_of_reference: str = ""
    manufacturer: str = ""
    field_strength: float | None = None
    image_type: tuple[str, ...] = ()
    scanning_sequence: tuple[str, ...] = ()
    sequence_variant: tuple[str, ...] = ()
    acquisition: str = ""
    echo_time: float | None = None
    repetition_time: float | None = None
    inversion_time: float | None = None
    slice_thickness: float | None = None
    contrast_agent: str = ""
    body_part: str = ""
    person: tuple[tuple[str, str], ...] = ()
    acquired: float | None = None
    injected: float | None = None
    b_value: float | None = None

    @property
    def label(self) -> str:
        """Name of the series for users: its number and description."""
        called = self.description or self.protocol or "without description"
        return f"series {self.series_number or '?'} ({called})"


def series_tags(dataset: Dataset) -> SeriesTags:
    """The tags in a header. What is absent or unreadable is empty or None."""
    return SeriesTags(
        person=_person(dataset),
        patient_id=text(dataset, "PatientID"),
        study_uid=text(dataset, "StudyInstanceUID"),
        study_date=text(dataset, "StudyDate"),
        study_description=text(dataset, "StudyDescription"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        series_number=text(dataset, "SeriesNumber"),
        description=text(dataset, "SeriesDescription"),
        protocol=text(dataset, "ProtocolName"),
        frame_of_reference=text(dataset, "FrameOfReferenceUID"),
        manufacturer=text(dataset, "Manufacturer"),
        field_strength=number(dataset, "MagneticFieldStrength"),
        image_type=capitals(dataset, "ImageType"),
        scanning_sequence=capitals(dataset, "ScanningSequence"),
        sequence_variant=capitals(dataset, "SequenceVariant"),
        acquisition=text(dataset, "MRAcquisitionType"),
        echo_time=number(dataset, "EchoTime"),
        repetition_time=number(dataset, "RepetitionTime"),
        inversion_time=number(dataset, "InversionTime"),
        slice_thickness=number(dataset, "SliceThickness"),
        contrast_agent=text(dataset, "ContrastBolusAgent"),
        body_part=text(dataset, "BodyPartExamined"),
        acquired=_acquired(dataset),
        injected=clock(dataset, "StudyDate", "ContrastBolusStartTime"),
        b_value=number(dataset, "DiffusionBValue"),
    )


def _acquired(dataset: Dataset) -> float | None:
    for date, time in _TIMES:
        if (acquired := clock(dataset, date, time)) is not None:
            return acquired
    return seconds(text(dataset, "AcquisitionDateTime"))


def _person(dataset: Dataset) -> tuple[tuple[str, str], ...]:
    """Digests of the facts about the person; capitals, accents and the order of names are one."""
    attributes = []
    for keyword in PERSON:
        latin = unicodedata.normalize("NFKD", text(dataset, keyword).split("=")[0]).casefold()
        letters = "".join(letter for letter in latin if not unicodedata.combining(letter))
        parts = sorted(re.findall(r"[^\W_]+", letters))
        if parts:
            attributes.append((keyword, hashlib.sha256(" ".join(parts).encode()).hexdigest()))
    return tuple(attributes)


def capitals(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values of an element in capitals; none if absent or unreadable."""
    return tuple(word.upper() for word in words(dataset, keyword))
