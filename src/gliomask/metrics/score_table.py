"""Table of an evaluation: a row for each case and region.

``metrics.csv`` always has the columns ``COLUMNS``, whose names contain their units; without
millimetres (pictures) the cells of ``_mm`` and ``_ml`` are empty, otherwise those of lengths in
``_px``. A cell is also empty if the score is undefined by the policy. If only some slices of a case
were annotated, everything is counted within those, and lesions are not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from gliomask.core.csv_table import Cell, csv_text
from gliomask.metrics.case_score import CaseScore
from gliomask.metrics.lesions import LesionScore
from gliomask.metrics.metric import METRICS

_Read = Callable[[CaseScore], Cell]
_FIRST = ("dice", "iou", "sensitivity", "precision")


def _count(read: Callable[[LesionScore], int]) -> _Read:
    return lambda score: None if score.lesions is None else read(score.lesions)


_READ: Mapping[str, _Read] = MappingProxyType(
    {
        "case": lambda score: score.case,
        "patient": lambda score: score.patient,
        "region": lambda score: score.region,
        **{name: METRICS[name] for name in _FIRST},
        "volume_reference_ml": lambda score: score.volume_reference_ml,
        "volume_predicted_ml": lambda score: score.volume_predicted_ml,
        **{name: metric for name, metric in METRICS.items() if name not in _FIRST},
        "lesions_found": _count(lambda lesions: lesions.found),
        "lesions_missed": _count(lambda lesions: lesions.missed),
        "lesions_invented": _count(lambda lesions: lesions.invented),
        "volume_reference_px": lambda score: score.overlap.reference,
        "volume_predicted_px": lambda score: score.overlap.predicted,
    }
)
COLUMNS = tuple(_READ)


def metrics_csv(scores: Sequence[CaseScore]) -> str:
    """Text of ``metrics.csv``, with the rows in the given order."""
    return csv_text(COLUMNS, [_row(score) for score in scores])


def _row(score: CaseScore) -> list[Cell]:
    return [read(score) for read in _READ.values()]
