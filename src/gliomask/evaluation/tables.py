"""Tables as CSV, and the one that an evaluation writes: a row for each case and region.

``metrics.csv`` always has the columns ``COLUMNS``. Volumes stand in millilitres and in voxels
(``_px``); without millimetres (pictures) the ``_ml`` cells are empty. A cell is empty as well where
the policy gives no score. Of a case of which only some slices were annotated, everything is
counted within those.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from gliomask.evaluation.scores import METRICS, CaseScore

COLUMNS = (
    "case",
    "patient",
    "region",
    *METRICS,
    "volume_reference_ml",
    "volume_predicted_ml",
    "volume_reference_px",
    "volume_predicted_px",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = str | float | int | None


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
    return [
        score.case,
        score.patient,
        score.region,
        *(read(score) for read in METRICS.values()),
        score.volume_reference_ml,
        score.volume_predicted_ml,
        score.overlap.reference,
        score.overlap.predicted,
    ]


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}"
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
