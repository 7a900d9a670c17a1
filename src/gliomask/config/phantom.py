"""The options of ``phantom``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.choices import SeedOption


class PhantomOptions(Options):
    """Options of ``phantom``."""

    out: Path
    """Folder to write: a new or empty one."""
    layout: str = "brats"
    """Folder layout of a published data set, e.g. lgg_kaggle or bids; an unknown name lists all."""
    patients: Annotated[int, Field(ge=1)] = 12
    """Number of synthetic patients."""
    seed: SeedOption = 0
    """Seed: the same seed gives the same patients."""
