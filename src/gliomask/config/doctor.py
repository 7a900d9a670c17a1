"""The options of ``doctor``."""

from __future__ import annotations

from pathlib import Path

from gliomask.config.base import Options


class DoctorOptions(Options):
    """Options of ``doctor``."""

    out: Path = Path()
    """Folder that results would be written to; it need not exist."""
