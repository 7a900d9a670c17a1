"""The options of ``watch``: ``predict`` for each study that arrives in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.predict import PredictOptions


class WatchOptions(Options):
    """Options of ``watch``."""

    folder: Path
    """Folder to watch; each file, archive or folder directly in it is one or more studies."""
    predict: PredictOptions
    """Options for each study, without inputs and sequences."""
    every_s: Annotated[float, Field(ge=0)] = 10.0
    """Seconds between scans of the folder."""
    scans: Annotated[int, Field(ge=0)] | None = None
    """Number of scans of the folder before it ends (default: unlimited)."""
