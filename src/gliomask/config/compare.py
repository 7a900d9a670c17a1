"""The options of ``compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.choices import SeedOption


class CompareOptions(Options):
    """Options of ``compare``."""

    evaluations: Annotated[tuple[Path, ...], Field(min_length=2)]
    """Two or more folders written by evaluate or score for the same patients."""
    out: Path
    """Folder to write; an earlier comparison in it is replaced."""
    metrics: tuple[str, ...] = ()
    """Metric to compare, as a column of metrics.csv is called (default: Dice and HD95)."""
    seed: SeedOption = 0
    """Seed of the bootstrap and the permutation test."""
