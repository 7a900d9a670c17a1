"""The options of ``fetch``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gliomask.config.base import Options


class FetchOptions(Options):
    """Options of ``fetch``."""

    source: str
    """Collection of the Imaging Data Commons, e.g. idc:upenn_gbm."""
    out: Path
    """Folder to download into; existing files are not downloaded again."""
    patients: Annotated[int, Field(ge=1)] | None = None
    """Number of patients, the first by name (default: all)."""
    modalities: tuple[str, ...] = ("MR",)
    """Modalities of the series, e.g. MR,SEG."""
    dry_run: bool = False
    """Only show size, licence and what to cite."""
