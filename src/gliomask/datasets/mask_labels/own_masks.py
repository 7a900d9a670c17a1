"""Masks that ``predict`` wrote: their records, and the scheme of their numbers."""

from __future__ import annotations

from pathlib import Path

from gliomask.core.label_scheme import LabelScheme
from gliomask.core.labels import TUMOUR
from gliomask.core.regions import REGIONS, region_numbers
from gliomask.datasets.folders import stem
from gliomask.formats.case_record import CaseRecord, read_record

MASK = "_mask"
"""End of the name of such a mask, before its suffix."""


def record_of_mask(mask: Path) -> CaseRecord | None:
    """Read the record next to a mask; None if there is none or it is from another tool.

    Raises:
        FormatError: it is damaged.
    """
    name = stem(mask.name)
    record = mask.with_name(f"{name.removesuffix(MASK)}.json")
    return read_record(record) if name.endswith(MASK) and record.is_file() else None


def scheme_of_record(record: CaseRecord) -> LabelScheme:
    """Label scheme of the mask of a record."""
    regions = tuple(region for region in REGIONS if region in record.voxels)
    if regions == ("whole",):
        return LabelScheme("whole tumour", ((1, TUMOUR),))
    numbers = sorted((number, number) for number in region_numbers(tuple(REGIONS)).values())
    return LabelScheme("parts of the tumour", tuple(numbers), only=_limited(regions))


def _limited(regions: tuple[str, ...]) -> tuple[str, ...]:
    """``LabelScheme.only``: empty where the model predicts every region."""
    return () if regions == tuple(REGIONS) else regions
