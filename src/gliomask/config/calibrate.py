"""The options of ``calibrate``."""

from __future__ import annotations

from pathlib import Path

from gliomask.config.base import Options
from gliomask.config.choices import DeviceOption
from gliomask.config.model import Model, OwnModel


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
    on: more accurate, half as fast. Unchanged by default."""
    missing: bool = True
    """Measure cases without some of their sequences, too. Without these measurements, a case that
    lacks a sequence is never green, and its volumes have no intervals."""
    device: DeviceOption = "auto"
