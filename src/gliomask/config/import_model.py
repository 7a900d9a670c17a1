"""The options of ``models import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.recipe import RegionName
from gliomask.config.segment import Sequence


class ImportOptions(Options):
    """Options of ``models import``."""

    file: Path
    """Weights of a U²-Net: Keras (.h5, .keras), ONNX or PyTorch (.pth)."""
    out: Path
    """Model folder to write; it must not exist yet."""
    sequences: tuple[Sequence, ...] | None = None
    """Sequences of the input channels in order, e.g. t1ce,t2; not stored in weight files."""
    regions: tuple[RegionName, ...] | None = None
    """Regions that the output channels mark in order: whole, core or enhancing; not
    stored in weight files."""
    size: Annotated[int, Field(ge=16, le=4096)] | None = None
    """Side of the input in pixels, if the file does not define it."""
    sides: tuple[int, ...] | None = None
    """Order of the side outputs, if a Keras file does not define it, e.g. 1,2,3,4,5,6."""
    licence: str | None = None
    """Licence of the weights."""
    trained_on: str | None = None
    """Description of the training data of the weights."""
