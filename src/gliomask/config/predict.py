"""The options of ``predict``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ByteSize, Field

from gliomask.config.base import Options
from gliomask.config.choices import DeviceOption, EngineOption, Kind
from gliomask.config.model import Model
from gliomask.config.shipped import find_model

SeriesOption = Annotated[
    Mapping[str, str],
    Field(
        description="DICOM series to take for a sequence, by its number, UID or description, "
        "for example flair=7."
    ),
]


class PredictOptions(Options):
    """Options of ``predict``."""

    inputs: tuple[Path, ...] = ()
    """Scans to segment: NIfTI files, folders or zip archives of DICOM, slices, or data sets."""
    out: Path
    """Folder to write into; other files in it are kept."""
    model: Model = Field(default_factory=find_model)
    """Run folder, or model that comes with gliomask."""
    sequences: Mapping[str, Path] = Field(default_factory=dict)
    """File of each sequence, instead of inputs whose names tell the sequence."""
    series: SeriesOption = Field(default_factory=dict)
    write: tuple[Kind, ...] | None = None
    """Files to write for each case: nifti (the mask; for slices a folder of pictures), png (a
    preview), html (a page with a viewer), dicom-seg and rtstruct (the mask as DICOM, for DICOM
    input). By default nifti, png and html, and dicom-seg for DICOM input."""
    bids: Path | None = None
    """BIDS data set to which the masks are added, in derivatives/gliomask."""
    probabilities: bool = False
    """Write a probability map for each region (volumes only)."""
    disagreement: bool = False
    """Write a map of where the network's outputs disagree, for each region (volumes only)."""
    uncertainty: bool = True
    """Estimate uncertainty, for intervals and a reliability flag: takes about twice the time."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Probability from which a voxel is marked as tumour (default: the model's own)."""
    clean_up: bool = True
    """Remove fragments separate from the main tumour, if the model's card says so."""
    reference: Literal["t1", "t1ce", "t2", "flair"] | None = None
    """Sequence whose grid the others are resampled to (default: the first of FLAIR, T2, T1ce and T1
    that the model uses)."""
    align: bool = True
    """Register and resample sequences on different grids to the reference; otherwise they are
    refused."""
    n4: bool = False
    """Apply N4 bias-field correction to each sequence."""
    again: bool = False
    """Predict cases again that an earlier run has finished, and replace their results."""
    device: DeviceOption = "auto"
    engine: EngineOption = "auto"
    limit_memory: ByteSize | None = None
    """Memory limit of the process, e.g. 1.5GB; scans that would need more are refused (Linux)."""
