"""Time points: masks of examinations, with data of their predictions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from gliomask.core.case import ImageFile
from gliomask.core.labels import LabelArray
from gliomask.core.regions import REGIONS, region_masks
from gliomask.core.volume import Affine
from gliomask.datasets.case_names import case_id
from gliomask.datasets.folders import stem
from gliomask.datasets.mask_files import WRITTEN
from gliomask.datasets.mask_labels.case_schemes import names_of
from gliomask.datasets.mask_labels.option import AUTO, EXAMPLE, scheme_of_option
from gliomask.datasets.mask_labels.own_masks import MASK, record_of_mask, scheme_of_record
from gliomask.datasets.mask_labels.resolve import BOTH, NumberedMask, Reading, Side, common, resolve
from gliomask.errors import FormatError, InputError, same_with
from gliomask.formats.case_record import CaseRecord, read_record
from gliomask.formats.correction_record import CorrectionRecord, read_correction_record
from gliomask.formats.images import read_labels
from gliomask.formats.volumes import is_second_half, is_volume
from gliomask.jobs.control import SILENT, Control


@dataclass(frozen=True, eq=False)
class TimePoint:
    """A mask as gliomask labels.

    Attributes:
        name: of the examination.
        path: of the mask's file.
        mask: (I, J, K) uint8, see ``core.labels``.
        affine: (4, 4), voxel index to RAS+ mm.
        regions: in the mask.
        explanation: interpretation of its numbers.
        origin: model or author, if a record states it.
        patient: if its prediction names one.
        patient_known: False if its prediction states that the patient is unknown.
        day: of the examination, if that is known.
        acquired: time of its first series, if known.
        stated: region -> 90 % interval of its volume in ml, where the prediction states one.
        probabilities: region -> file of its probabilities, where the prediction has one.
        threshold: of these, where it is known.
    """

    name: str
    path: Path
    mask: LabelArray
    affine: Affine
    regions: tuple[str, ...]
    explanation: str
    origin: str = ""
    patient: str | None = None
    patient_known: bool = True
    day: date | None = None
    acquired: datetime | None = None
    stated: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))
    probabilities: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    threshold: float | None = None


@dataclass(frozen=True, eq=False)
class _Read:
    """A mask as it is in its file, with the records of its prediction and its correction."""

    path: Path
    numbers: npt.NDArray[np.integer]
    affine: Affine
    record: CaseRecord | None
    correction: CorrectionRecord | None = None


def read_time_points(
    paths: Sequence[Path], labels: str = AUTO, control: Control = SILENT
) -> tuple[TimePoint, ...]:
    """The time points in the order given, with distinct names.

    Args:
        paths: a folder that ``predict`` wrote for one case, or the mask of one (NIfTI), also a
            corrected one next to its records.
        labels: meaning of the numbers in masks without a record, see ``mask_labels.option``.
        control: reports each.

    Raises:
        InputError: the file does not exist, a folder has no or several masks, or a file is given
            twice.
        FormatError: a damaged mask, a record that is not that of its mask.
        QuestionError: the numbers in a mask are ambiguous.
    """
    files = [_mask_file(path) for path in paths]
    for number, file in enumerate(files):
        if file.resolve() in {other.resolve() for other in files[:number]}:
            raise InputError("a time point is given twice", path=file)
    control.start(len(files), "reading masks")
    read = []
    for file in files:
        read.append(_read(file))
        control.advance(note=file.name)
    readings = _readings(read, labels)
    return _named([_time_point(mask, readings) for mask in read])


def _mask_file(path: Path) -> Path:
    if path.is_file() and is_volume(path):
        return path
    if not path.is_dir():
        what = "not a mask volume" if path.exists() else "no such file or folder"
        raise InputError(what, path=path)
    named = [candidate for candidate in path.glob(f"*{MASK}.*") if is_volume(candidate)]
    masks = sorted(candidate for candidate in named if not is_second_half(candidate))
    if len(masks) != 1:
        names = ", ".join(candidate.name for candidate in masks[:3]) or "none"
        raise InputError(
            "a time point is one mask in millimetres",
            path=path,
            field=f"*{MASK}",
            found=names,
            hint="give the path of the mask" if masks else "predict writes one for volumes",
        )
    return masks[0]


def _read(file: Path) -> _Read:
    numbers, affine = read_labels(ImageFile((file,)))
    correction = _correction_of(file)
    if correction is None:
        return _Read(file, numbers, affine, record_of_mask(file))
    beside = file.with_name(f"{correction.case}.json")
    record = read_record(beside) if beside.is_file() else None
    return _Read(file, numbers, affine, record, correction)


def _correction_of(mask: Path) -> CorrectionRecord | None:
    """The record of a corrected mask.

    Raises:
        FormatError: it is damaged, or of another mask.
    """
    path = mask.with_name(f"{stem(mask.name).removesuffix(MASK)}.json")
    correction = read_correction_record(path) if path != mask and path.is_file() else None
    if correction is None:
        return None
    with mask.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != correction.sha256:
        raise FormatError("its JSON record belongs to another mask", path=mask)
    return correction


def _time_point(mask: _Read, readings: Mapping[Path, Reading]) -> TimePoint:
    if mask.correction is not None:
        return _corrected(mask, mask.correction)
    if mask.record is not None:
        return _explained(mask, mask.record)
    return _text(mask, readings[mask.path])


def _readings(read: Sequence[_Read], labels: str) -> dict[Path, Reading]:
    """Readings of the masks without a record, all together; those with a record are evidence."""
    drawn = [mask for mask in read if mask.correction is None]
    written = {scheme_of_record(mask.record) for mask in drawn if mask.record is not None}
    known = common(Reading(scheme, "") for scheme in written)
    unexplained = [mask for mask in drawn if mask.record is None]
    masks = tuple(
        NumberedMask(
            names_of(ImageFile((mask.path,)), mask.path.name),
            frozenset(np.unique(mask.numbers).tolist()) - {0},
        )
        for mask in unexplained
    )
    side = Side("masks", BOTH, masks, scheme_of_option(labels))
    readings = resolve(side, known) if masks else ()
    return {mask.path: reading for mask, reading in zip(unexplained, readings, strict=True)}


def _text(mask_read: _Read, reading: Reading) -> TimePoint:
    scheme = reading.scheme
    try:
        mask = scheme.translate(mask_read.numbers)
    except ValueError as problem:
        hint = f"state its meaning: {same_with((BOTH, EXAMPLE))}"
        raise FormatError(str(problem), path=mask_read.path, hint=hint) from None
    return TimePoint(
        name=case_id(mask_read.path.name),
        path=mask_read.path,
        mask=mask,
        affine=mask_read.affine,
        regions=scheme.regions,
        explanation=f"labels: {scheme.name}, {reading.reason}",
    )


def _explained(mask: _Read, record: CaseRecord) -> TimePoint:
    regions = tuple(region for region in REGIONS if region in record.voxels)
    name = stem(mask.path.name).removesuffix(MASK)
    files = {r: mask.path.with_name(f"{name}_probability_{r}.nii.gz") for r in regions}
    return TimePoint(
        name=name,
        path=mask.path,
        mask=_checked(mask, regions, record.voxels),
        affine=mask.affine,
        regions=regions,
        explanation=f"labels: {WRITTEN}",
        origin=f"as predicted by {record.model}",
        patient=_patient(record),
        patient_known=record.patient_known,
        day=_day(record),
        acquired=record.acquired,
        stated=record.volumes_ml_90,
        probabilities={region: file for region, file in files.items() if file.is_file()},
        threshold=_threshold(record.provenance),
    )


def _corrected(mask: _Read, correction: CorrectionRecord) -> TimePoint:
    """Time point of a corrected mask, without intervals, which are those of uncorrected masks."""
    record = mask.record
    review = f"approved by {correction.approver}" if correction.approver else "not approved"
    return TimePoint(
        name=correction.case,
        path=mask.path,
        mask=mask.numbers.astype(np.uint8),
        affine=mask.affine,
        regions=tuple(region for region in REGIONS if region in correction.changes),
        explanation=f"labels: {WRITTEN}",
        origin=f"correction {correction.number} by {correction.author}, {review}",
        patient=_patient(record) if record else None,
        patient_known=record is None or record.patient_known,
        day=_day(record) if record else None,
        acquired=record.acquired if record else None,
    )


def _patient(record: CaseRecord) -> str | None:
    return record.patient if record.patient_known else None


def _day(record: CaseRecord) -> date | None:
    return record.study_date or (record.acquired.date() if record.acquired else None)


def _checked(mask_read: _Read, regions: tuple[str, ...], voxels: Mapping[str, int]) -> LabelArray:
    """The mask, if it is the one that its record is of."""
    if not regions or mask_read.numbers.min() < 0 or mask_read.numbers.max() > 3:
        what = "not the mask of its JSON record"
        raise FormatError(what, path=mask_read.path)
    mask = mask_read.numbers.astype(np.uint8)
    for region, drawn in zip(regions, region_masks(mask, regions), strict=True):
        count = int(drawn.sum())
        if count != voxels[region]:
            what = f"its JSON record belongs to another mask: {voxels[region]} voxels"
            raise FormatError(what, path=mask_read.path, field=region, found=count)
    return mask


def _threshold(provenance: Mapping[str, object]) -> float | None:
    value = provenance.get("threshold")
    return float(value) if isinstance(value, int | float) and 0 < value < 1 else None


def _named(points: Sequence[TimePoint]) -> tuple[TimePoint, ...]:
    """Time points with unique names: equal ones are prefixed by the folder, and then a number."""
    names = [point.name for point in points]
    if len(set(names)) < len(names):
        names = [f"{point.path.absolute().parent.name}/{point.name}" for point in points]
    if len(set(names)) < len(names):
        names = [f"{number}: {name}" for number, name in enumerate(names, 1)]
    return tuple(replace(point, name=name) for point, name in zip(points, names, strict=True))
