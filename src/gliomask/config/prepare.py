"""The options of ``prepare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.choices import AUTO, LabelsOption, ProcessesOption, SeedOption


class PrepareOptions(Options):
    """Options of ``prepare``."""

    sources: Annotated[tuple[Path, ...], Field(min_length=1)]
    """Data sets, each a folder or table in a known layout; together they make one store."""
    out: Path
    """Store to write, or to continue."""
    skip_bad: bool = False
    """Omit unusable cases."""
    workers: ProcessesOption = None
    seed: SeedOption = 0
    """Seed of the random split."""
    folds: Annotated[int, Field(ge=0)] = 5
    """Number of folds for cross-validation."""
    fold_by: Literal["size", "site"] = "size"
    """Assignment of patients to folds: size balances sites and tumour sizes, site makes one fold of
    each site."""
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15)
    """Shares of training, validation and test patients."""
    planes: bool = False
    """Also store the coronal and sagittal slices of skull-stripped brains with small voxels. A
    model that is trained on them combines all three planes for such brains. The store is up to
    three times as large."""
    labels: LabelsOption = AUTO
    split: Path | None = None
    """Split file to use instead of a random split."""
    patients: Path | None = None
    """CSV table (columns case, patient) with the patient of each case, if it is not in the name."""
