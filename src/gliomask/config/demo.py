"""The options of ``demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.choices import SeedOption


class DemoOptions(Options):
    """Options of ``demo``."""

    out: Path = Path("demo")
    """Folder to write; an earlier demo in it is replaced."""
    patients: Annotated[int, Field(ge=8)] = 24
    """Number of synthetic patients."""
    recipe: str = "demo"
    """Training recipe: a name or a YAML file."""
    seed: SeedOption = 0
    """Seed of the synthetic patients."""
