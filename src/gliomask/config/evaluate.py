"""The options of ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.choices import (
    AUTO,
    ByOption,
    DeviceOption,
    EngineOption,
    FiguresOption,
    LabelsOption,
    Part,
    ReportOption,
    TableOption,
)
from gliomask.config.model import Models


class EvaluateOptions(Options):
    """Options of ``evaluate``."""

    source: Path
    """Store, or data set with masks in any known layout."""
    model: Models
    """Run folder, or name of an included or added model. Several run folders of a cross-validation
    are each evaluated on the patients of their own fold."""
    out: Path
    """Folder to write; an earlier evaluation in it is replaced."""
    part: Part | None = None
    """Part of the store's split to evaluate on (default: test)."""
    fold: Annotated[int, Field(ge=0)] | None = None
    """Fold of the store's split (default: the model's own, or else the hold-out split)."""
    figures: FiguresOption = 6
    report: ReportOption = True
    labels: LabelsOption = AUTO
    table: TableOption = None
    by: ByOption = ()
    device: DeviceOption = "auto"
    engine: EngineOption = "auto"
