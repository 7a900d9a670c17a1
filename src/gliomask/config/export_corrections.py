"""The options of ``serve export-corrections``."""

from __future__ import annotations

from pathlib import Path

from gliomask.config.base import Options
from gliomask.config.serve import DataOption


class ExportCorrectionsOptions(Options):
    """Options of ``serve export-corrections``."""

    out: Path
    """Folder to write, or to write again."""
    data: DataOption
