"""The options of ``calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.choices import DeviceOption
from gliomask.config.model import Model, OwnModel

SmoothingMm = Annotated[float, Field(ge=0, le=10)]


class CalibrateOptions(Options):
    """Options of ``calibrate``."""

    model: OwnModel
    """Run folder of the model; its card is updated."""
    store: Path
    """Store that the model was trained on."""
    folds: tuple[Model, ...] = ()
    """Run folder of a cross-validation with the same recipe. Calibrates a model that was trained on
    all patients by the held-out patients of each fold."""
    mirrored: bool | None = None
    """Average predictions with those of the flipped image (flip test-time augmentation) from now
    on. It takes up to twice the time; evaluate to see if it helps. Unchanged by default."""
    slice_smoothing_mm: SmoothingMm | None = None
    """Combine slices that are at most 3 mm apart from now on: standard deviation in mm of the
    Gaussian across them, 0 for none. Newly trained models have 1.5. Unchanged by default."""
    missing: bool = True
    """Measure cases without some of their sequences, too. Without these measurements, a case that
    lacks a sequence is never green, and its volumes have no intervals."""
    device: DeviceOption = "auto"
