"""The options of ``score``."""

from __future__ import annotations

from pathlib import Path

from gliomask.config.base import Options
from gliomask.config.choices import (
    AUTO,
    ByOption,
    FiguresOption,
    LabelsOption,
    ProcessesOption,
    ReportOption,
    TableOption,
)


class ScoreOptions(Options):
    """Options of ``score``."""

    references: Path
    """Reference masks: a mask, a folder of masks, or a data set with masks."""
    predictions: Path
    """Predicted masks of any tool for the same cases, paired by the case in their names."""
    out: Path
    """Folder to write; an earlier evaluation in it is replaced."""
    labels: LabelsOption = AUTO
    reference_labels: str = AUTO
    """Meaning of the numbers in the reference masks only."""
    prediction_labels: str = AUTO
    """Meaning of the numbers in the predicted masks only."""
    pairs: Path | None = None
    """CSV table that pairs the masks (columns reference, prediction; optional case, patient)."""
    table: TableOption = None
    by: ByOption = ()
    figures: FiguresOption = 6
    report: ReportOption = True
    workers: ProcessesOption = None
