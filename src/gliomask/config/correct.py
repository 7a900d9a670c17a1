"""The options of a correction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from gliomask.config.base import Options


class CorrectOptions(Options):
    """Masks to check, and the files to write."""

    drawn: Path
    """The mask as it came."""
    case: Path
    """Folder of the editable case that it is of."""
    base: Path
    """The mask that it was drawn on."""
    out: Path
    """An existing folder for the files."""
    name: str
    """Of the files, without endings."""
    author: str
    """Author of the correction."""
    names: Mapping[int, str] = Field(default_factory=dict)
    """Number in the mask -> name of the label, as the program that drew it counts; if it says."""
