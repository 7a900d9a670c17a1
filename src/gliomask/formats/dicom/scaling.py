"""Rescale slope and intercept of a header, which convert stored values to intensities.

A slope of 0, NaN or infinity means no scaling, as in GDCM and dcm2niix.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from pydicom import Dataset

from gliomask.errors import FormatError
from gliomask.formats.dicom.values import has, items, numbers

KEYWORDS = ("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence")
"""The elements that ``scaling`` reads."""


def scaling(dataset: Dataset) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 if they are absent.

    Raises:
        FormatError: a lookup table that changes values, or numbers that readers interpret
            differently.
    """
    _refuse_table(dataset)
    intercept = (
        numbers(dataset, "RescaleIntercept", 1)[0] if has(dataset, "RescaleIntercept") else 0
    )
    slope = _slope(dataset)
    if math.isfinite(slope):
        return slope or 1.0, float(intercept)
    if intercept:
        what, allowed = "an intercept, but no slope", "a finite number"
        raise FormatError(what, field="RescaleSlope", found=slope, allowed=allowed)
    return 1.0, 0.0


def _slope(dataset: Dataset) -> float:
    if not has(dataset, "RescaleSlope"):
        return 1.0
    value = dataset.RescaleSlope
    first = value if isinstance(value, (int, float, str)) else next(iter(value), None)
    try:
        if not math.isfinite(slope := float(str(first))):
            return slope
    except ValueError:
        pass
    return numbers(dataset, "RescaleSlope", 1)[0]


def _refuse_table(dataset: Dataset) -> None:
    """Refuse a lookup table that changes values: of three readers, only one applies it."""
    for table in items(dataset, "ModalityLUTSequence"):
        if has(table, "LUTData") and not _is_identity(table):
            raise FormatError(
                "intensities with a lookup table, which MR images do not have",
                field="ModalityLUTSequence",
                found="present",
                allowed="absent, or one that changes nothing",
                hint="export the series with RescaleSlope and RescaleIntercept instead",
            )


def _is_identity(table: Dataset) -> bool:
    try:
        first, data = int(table.LUTDescriptor[1]), table.LUTData
        values = np.frombuffer(data, "<u2").tolist() if isinstance(data, bytes) else list(data)
    except (AttributeError, IndexError, TypeError, ValueError):
        return False
    return values[0] == first and all(b - a == 1 for a, b in pairwise(values))
