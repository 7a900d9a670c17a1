"""The options of a segmentation that every front door offers: command line, Python, REST, page."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.choices import Device as Device
from gliomask.config.choices import EngineName as EngineName
from gliomask.config.choices import Kind as Kind

Sequence = Literal["t1", "t1ce", "t2", "flair"]


class SegmentOptions(Options):
    """How a segmentation is done, wherever it is asked for."""

    write: tuple[Kind, ...] | None = None
    """``nifti``: the mask (pictures get a folder of pictures). ``png``: a look at it. ``html``: the
    case page with its viewer. ``dicom-seg``, ``rtstruct``: the mask as DICOM, for DICOM input. The
    first three if nothing is named, and the DICOM Segmentation where the input is DICOM."""
    probabilities: bool = False
    """Write the probability of each region too (NIfTI inputs only)."""
    disagreement: bool = False
    """Write where the network's maps disagree, for each region (NIfTI inputs only)."""
    uncertainty: bool = True
    """Ask the network in several ways, for intervals and a flag: about twice the time."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Probability from which a voxel is tumour, instead of the model's own."""
    clean_up: bool = True
    """Remove the fragments that the model's card says; otherwise the mask keeps them all."""
    reference: Sequence | None = None
    """The sequence whose grid the others are resampled to; None takes the first of FLAIR, T2, T1ce
    and T1 among those that the model uses."""
    align: bool = True
    """Lay series on other grids onto the reference (registered where that gains, resampled);
    otherwise they are refused."""
    n4: bool = False
    """Apply N4 bias-field correction to each sequence first."""
