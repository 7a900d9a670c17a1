"""Tables as CSV, and the one that an evaluation writes: a row for each case and region.

``metrics.csv`` always has the columns ``COLUMNS``. What has a unit says so in its name; without
millimetres (pictures) the cells of ``_mm`` and ``_ml`` are empty, with them those of lengths in
``_px``. A cell is empty as well where the policy gives no score. Of a case of which only some
slices were annotated, everything is counted within those, and lesions are not counted.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from gliomask.evaluation.case_score import CaseScore
from gliomask.evaluation.lesions import LesionScore
from gliomask.evaluation.metric import METRICS

Cell = str | float | int | None
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
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def metrics_csv(scores: Sequence[CaseScore]) -> str:
    """The text of ``metrics.csv``, rows in the order given."""
    return csv_text(COLUMNS, [_row(score) for score in scores])


def csv_text(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A CSV table (RFC 4180 quoting, ``\\n`` line ends) that is safe to open in a spreadsheet.

    Text that a spreadsheet would run as a formula (it starts with ``= + - @``, a tab or a carriage
    return) gets an apostrophe before it. Fractions have six decimals, None is an empty cell.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _row(score: CaseScore) -> list[Cell]:
    return [read(score) for read in _READ.values()]


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}"
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
