"""A case: one examination of one patient, as files, before anything is read."""

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
        channel: which one, of a picture with several channels, a 4-D volume or a DICOM file with
            several volumes; None when there is only one.
    """

    paths: tuple[Path, ...]
    channel: int | None = None

    def __str__(self) -> str:
        path = self.paths[0] if len(self.paths) == 1 else self.paths[0].parent
        where = printable(str(path))
        return where if self.channel is None else f"{where}[{self.channel}]"


@dataclass(frozen=True)
class SeriesUse:
    """One series of a study, and what became of it; for people.

    Attributes:
        series: its number and description.
        sequence: that it was recognised as, None if for none.
        used: whether the case has it.
        why: it is used, or not; one line.
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
        patient: the key that examinations and data sets share (see ``identity.patient_of``).
        patient_known: whether the patient is known; if not, ``patient`` stands for the case
            alone, and no split is sound.
        images: sequence name -> file, in canonical order. A sequence that is absent, or whose
            channel merely copies another, is not in here.
        label: the tumour mask's file, None if the case has none.
        scheme: what the numbers in ``label`` mean; None if that is not resolved.
        label_names: what the layout calls the labels, where these names are not clear.
        lost_origin: the mask's affine lost its offset, and it lies on the grid of the images.
        training_only: its mask goes back to a model's, so that it is never used for evaluation.
        sparse: only slices that hold tumour were annotated: all others are unknown, not background.
        source: the layout that it came from, e.g. ``lgg_kaggle``.
        site: the hospital or scanner, where the layout states it.
        licence: of the data, where it is known.
        synthetic: made by the phantom.
        notes: what a reader had to decide, for people.
        series: of a DICOM study, all its series by their numbers.
        study_date, acquired: of the DICOM study, and of the first series that is used; None where
            they are not told.
        contrast_order: the order in the study by which alone ``t1ce`` differs from ``t1``, a
            phrase: it is to be confirmed by what they show. Empty where more is known.
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

    def __post_init__(self) -> None:
        """Notes may quote the names of files, which may hold anything."""
        object.__setattr__(self, "notes", tuple(map(printable, self.notes)))

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions of its mask."""
        return self.scheme.regions if self.scheme is not None else ()
