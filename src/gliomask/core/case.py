"""A case: one examination of one patient, as a list of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from gliomask.core.label_scheme import LabelScheme
from gliomask.errors import printable


@dataclass(frozen=True)
class ImageFile:
    """The files of one image.

    Attributes:
        paths: one volume file (NIfTI), the slices of a stack of pictures in reading order (feet
            to head), or the files of a DICOM series along its normal.
        channel: index of the channel of a picture, a 4-D volume or a DICOM file with several
            volumes; None if there is only one.
    """

    paths: tuple[Path, ...]
    channel: int | None = None

    def __str__(self) -> str:
        path = self.paths[0] if len(self.paths) == 1 else self.paths[0].parent
        where = printable(str(path))
        return where if self.channel is None else f"{where}[{self.channel}]"


@dataclass(frozen=True)
class SeriesUse:
    """One series of a study and how it was used, for display.

    Attributes:
        series: its number and description.
        sequence: the recognised sequence, None if there is none.
        used: whether the case uses it.
        why: reason why it is used or not; one line.
    """

    series: str
    sequence: str | None
    used: bool
    why: str


@dataclass(frozen=True)
class Case:
    """One examination of one patient.

    Attributes:
        id: unique within its data set; letters, digits, ``-``, ``_`` and ``.`` only.
        patient: key of the patient, the same in all data sets (see ``identity.patient_of``).
        patient_known: whether the patient is known; if not, ``patient`` is a key of this case only,
            and a split by patient is impossible.
        images: sequence name -> file, in canonical order. Missing sequences, and channels that are
            a copy of another one, are not included.
        label: the tumour mask's file, None if the case has none.
        scheme: label scheme of ``label``; None if it is not resolved.
        label_names: names of the labels in the layout, if they are ambiguous.
        lost_origin: the mask's affine lost its offset, and it lies on the grid of the images.
        training_only: its mask is a correction of a model's mask, so it is never used for
            evaluation.
        sparse: only slices with tumour were annotated; all others are unknown, not background.
        source: its layout, e.g. ``lgg_kaggle``.
        site: the hospital or scanner, where the layout states it.
        licence: licence of the data, if known.
        synthetic: whether it is from the phantom.
        notes: decisions of the reader, for display.
        series: of a DICOM study, all its series by their numbers.
        study_date, acquired: of the DICOM study, and of the first series that is used; None if they
            are unknown.
        study_uid: of the DICOM study, empty if it is unknown.
        contrast_order: description of the order in the study, if only this order distinguishes
            ``t1ce`` from ``t1``; it has to be confirmed by the images. Otherwise empty.
    """

    id: str
    patient: str
    images: Mapping[str, ImageFile]
    label: ImageFile | None = None
    scheme: LabelScheme | None = None
    label_names: tuple[str, ...] = ()
    lost_origin: bool = False
    training_only: bool = False
    sparse: bool = False
    source: str = ""
    site: str | None = None
    licence: str | None = None
    synthetic: bool = False
    patient_known: bool = True
    notes: tuple[str, ...] = field(default=())
    series: tuple[SeriesUse, ...] = ()
    contrast_order: str = ""
    study_date: date | None = None
    acquired: datetime | None = None
    study_uid: str = ""

    def __post_init__(self) -> None:
        """Notes may contain file names, which may contain any bytes."""
        object.__setattr__(self, "notes", tuple(map(printable, self.notes)))

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions of its mask."""
        return self.scheme.regions if self.scheme is not None else ()
