"""The options of ``nnunet``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from gliomask.config.base import Options
from gliomask.config.choices import DeviceOption
from gliomask.config.model import Model
from gliomask.config.shipped import find_model
from gliomask.errors import ConfigError


class NnunetOptions(Options):
    """Options of ``nnunet``."""

    folder: Path
    """Folder of images named as in nnU-Net: CASE_0000.nii.gz, CASE_0001.nii.gz."""
    out: Path
    """Folder to write the masks into: CASE.nii.gz."""
    model: Model = Field(default_factory=find_model)
    """Run folder, or name of an included or added model."""
    description: Path | None = None
    """The data set's dataset.json (default: the one in the image folder or its parent folder)."""
    own_labels: bool = False
    """Write the model's own label numbers, not those of the dataset.json."""
    quick: bool = False
    """Skip flip test-time augmentation: faster."""
    probabilities: bool = False
    """Write the probabilities of each region, too: CASE.npz."""
    keep_done: bool = False
    """Skip cases with an existing mask."""
    parts: Annotated[int, Field(ge=1)] = 1
    """Number of parts that the cases are divided into."""
    part: Annotated[int, Field(ge=0)] = 0
    """Index of the part to process, from 0."""
    device: DeviceOption = "auto"

    @model_validator(mode="after")
    def _part_exists(self) -> Self:
        if self.part >= self.parts:
            raise ConfigError(
                "there is no such part",
                option="part",
                found=self.part,
                allowed=f"0-{self.parts - 1}",
            )
        return self
