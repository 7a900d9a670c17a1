"""Enhanced MR Images made with pydicom: many frames in one file."""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import Dataset, Sequence, dcmwrite
from pydicom.uid import EnhancedMRImageStorage

from tests.formats.dicom.made import Plan, Stored, series


@dataclass(frozen=True)
class Part:
    """One volume of a file."""

    plan: Plan
    stored: Stored
    echo: float = 30.0
    kind: str = "M"
    stack: str = "1"
    scale: tuple[float, float] | None = None


def enhanced(parts: Many[Part], order: Many[int] | None = None) -> Dataset:
    """A file with the frames of all parts, in the order given (of all frames counted on)."""
    plan = parts[0].plan
    dataset = series(plan, parts[0].stored)[0]
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "EchoTime",
                    "RepetitionTime", "ScanningSequence", "SliceThickness"):  # fmt: skip
        delattr(dataset, keyword)
    dataset.SOPClassUID = EnhancedMRImageStorage
    dataset.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    dataset.EchoPulseSequence, dataset.EchoPlanarPulseSequence = "SPIN", "NO"
    frames = [(part, k) for part in parts for k in range(part.plan.slices)]
    frames = [frames[n] for n in order] if order is not None else frames
    dataset.NumberOfFrames = len(frames)
    dataset.SharedFunctionalGroupsSequence = Sequence([_shared(plan)])
    dataset.PerFrameFunctionalGroupsSequence = Sequence([_frame(part, k) for part, k in frames])
    dataset.PixelData = np.stack([part.stored[k] for part, k in frames]).astype("<u2").tobytes()
    return dataset


def write(path: Path, dataset: Dataset) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    dcmwrite(path, dataset, enforce_file_format=True)
    return path


def _shared(plan: Plan) -> Dataset:
    timing = _with(RepetitionTime=4000.0)
    modifier = _with(InversionRecovery="YES", InversionTimes=2400.0)
    return _groups(
        PixelMeasuresSequence=_with(
            PixelSpacing=[plan.between_rows, plan.between_columns], SliceThickness=3.5
        ),
        MRTimingAndRelatedParametersSequence=timing,
        MRModifierSequence=modifier,
    )


def _frame(part: Part, k: int) -> Dataset:
    position = [round(float(n), 8) for n in part.plan.position(k)]
    groups = {
        "PlanePositionSequence": _with(ImagePositionPatient=position),
        "PlaneOrientationSequence": _with(ImageOrientationPatient=list(part.plan.directions)),
        "MREchoSequence": _with(EffectiveEchoTime=part.echo),
        "FrameContentSequence": _with(
            StackID=part.stack,
            InStackPositionNumber=k + 1,
            DimensionIndexValues=[int(part.stack), k + 1],
        ),
        "MRImageFrameTypeSequence": _with(
            FrameType=["ORIGINAL", "PRIMARY", part.kind, "NONE"], ComplexImageComponent="MAGNITUDE"
        ),
    }
    if part.scale is not None:
        slope, intercept = part.scale
        groups["PixelValueTransformationSequence"] = _with(
            RescaleSlope=slope, RescaleIntercept=intercept, RescaleType="US"
        )
    return _groups(**groups)


def _groups(**groups: Dataset) -> Dataset:
    dataset = Dataset()
    for keyword, group in groups.items():
        setattr(dataset, keyword, Sequence([group]))
    return dataset


def _with(**values: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset
