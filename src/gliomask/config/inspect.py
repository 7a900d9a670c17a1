"""The options of ``inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.choices import AUTO, LabelsOption
from gliomask.config.predict import SeriesOption


class InspectOptions(Options):
    """Options of ``inspect``."""

    paths: Annotated[tuple[Path, ...], Field(min_length=1)]
    """Data set, or scans as for predict."""
    series: SeriesOption = Field(default_factory=dict)
    labels: LabelsOption = AUTO
    full: bool = False
    """Read all voxels, not only file names and headers."""
    table: Path | None = None
    """Write the examinations of a folder without a known layout as a CSV table, with the masks
    next to their images. Check it, then give it to prepare instead of the folder."""
