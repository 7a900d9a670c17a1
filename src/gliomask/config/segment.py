"""Segmentation options, the same for command line, Python, REST API and web page."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.output_kinds import WriteOption

Sequence = Literal["t1", "t1ce", "t2", "flair"]


class SegmentOptions(Options):
    """Segmentation options shared by all front ends."""

    write: WriteOption = None
    probabilities: bool = False
    """Write a probability map for each region (volumes only)."""
    disagreement: bool = False
    """Write an uncertainty map for each region: the disagreement of the network's outputs (volumes
    only)."""
    uncertainty: bool = True
    """Estimate uncertainty, for intervals and a reliability flag: a tenth more time."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Probability threshold for tumour (default: the model's own)."""
    clean_up: bool = True
    """Remove small fragments separate from the main tumour, if the model card defines a limit."""
    reference: Sequence | None = None
    """Sequence whose grid the others are resampled to (default: the first of FLAIR, T2, T1ce and T1
    that the model uses)."""
    align: bool = True
    """Register and resample sequences on different grids to the reference; otherwise they are
    refused."""
    n4: bool = False
    """Apply N4 bias-field correction to each sequence."""
