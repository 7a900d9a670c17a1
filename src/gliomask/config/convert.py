"""The options of ``convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gliomask.config.base import Options, distinct
from gliomask.config.choices import AUTO, LabelsOption, SeedOption

Target = Literal["nnunet", "msd", "bids"]
Unannotated = Literal["ignore", "drop"]


class ConvertOptions(Options):
    """Options of ``convert``."""

    source: Path
    """Data set in any known layout."""
    out: Path
    """Folder to write; it must not exist yet."""
    to: Target
    """Layout to write: nnU-Net raw, Medical Segmentation Decathlon or BIDS."""
    labels: LabelsOption = AUTO
    sequences: (
        Annotated[tuple[Literal["t1", "t1ce", "t2", "flair"], ...], AfterValidator(distinct)] | None
    ) = None
    """Sequences to write as channels in order, e.g. t1,flair (default: all of the data set)."""
    unannotated: Unannotated | None = None
    """Unannotated slices, if there are any: ignore, written with nnU-Net's ignore
    label (default for nnunet); drop, left out, so that each run of annotated slices is a case."""
    skip_bad: bool = False
    """Omit unusable cases."""
    seed: SeedOption = 0
    """Seed of the random split."""
    folds: Annotated[int, Field(ge=2)] = 5
    """Number of folds to write for nnU-Net."""
    split: Path | None = None
    """Split file of a store whose folds to write, instead of random ones."""
