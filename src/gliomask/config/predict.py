"""The options of ``predict``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import ByteSize, Field

from gliomask.config.choices import DeviceOption, EngineOption
from gliomask.config.model import Model
from gliomask.config.segment import SegmentOptions
from gliomask.config.shipped import find_model

SeriesOption = Annotated[
    Mapping[str, str],
    Field(
        description="DICOM series to use for a sequence, by its number, UID or description, "
        "for example flair=7."
    ),
]


class PredictOptions(SegmentOptions):
    """Options of ``predict``."""

    inputs: tuple[Path, ...] = ()
    """Scans to segment: NIfTI files, folders or zip archives of DICOM, slices, or data sets."""
    out: Path
    """Folder to write into; other files in it are kept."""
    model: Model = Field(default_factory=find_model)
    """Run folder, or name of an included or added model."""
    sequences: Mapping[str, Path] = Field(default_factory=dict)
    """File of each sequence, for inputs whose names do not contain the sequence."""
    series: SeriesOption = Field(default_factory=dict)
    bids: Path | None = None
    """BIDS data set to which the masks are added, in derivatives/gliomask."""
    again: bool = False
    """Repeat cases that an earlier run has finished, and replace their results."""
    device: DeviceOption = "auto"
    engine: EngineOption = "auto"
    limit_memory: ByteSize | None = None
    """Memory limit of the process, e.g. 1.5GB; scans that would need more are refused (Linux)."""
