"""The options of ``follow``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.choices import AUTO, LabelsOption


class FollowOptions(Options):
    """Options of ``follow``."""

    inputs: Annotated[tuple[Path, ...], Field(min_length=2)]
    """Prediction folders with one case each, or masks, also corrected ones, in order of time."""
    out: Path
    """Folder to write; an earlier result of follow in it is replaced."""
    dates: tuple[date, ...] = ()
    """Date of each input, e.g. 2024-01-31,2024-04-30; the inputs are sorted by them."""
    registered: bool = False
    """The scans are registered to each other: match lesions between them."""
    labels: LabelsOption = AUTO
