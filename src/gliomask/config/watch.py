"""The options of ``watch``: ``predict`` for whatever arrives in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.predict import PredictOptions


class WatchOptions(Options):
    """Options of ``watch``."""

    folder: Path
    """Folder to watch: each file, archive or folder directly in it is a study, or several."""
    predict: PredictOptions
    """How each is segmented; without inputs and sequences."""
    every_s: Annotated[float, Field(ge=0)] = 10.0
    """Seconds between looks."""
    looks: Annotated[int, Field(ge=0)] | None = None
    """Number of looks to end after; without end by default."""
