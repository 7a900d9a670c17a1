"""The options of a correction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from gliomask.config.base import Options


class CorrectOptions(Options):
    """Masks to compare, and the files to write."""

    drawn: Path
    """The corrected mask, as received."""
    case: Path
    """Folder of the editable case that the mask belongs to."""
    base: Path
    """The mask that the correction was drawn on."""
    out: Path
    """An existing folder for the files."""
    name: str
    """Base name of the files, without suffix."""
    author: str
    """Author of the correction."""
    names: Mapping[int, str] = Field(default_factory=dict)
    """Number in the mask -> name of the label, if the program that drew it states them."""
