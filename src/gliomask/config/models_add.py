"""The options of ``models add`` and ``models remove``."""

from __future__ import annotations

from pathlib import Path

from gliomask.config.base import Options


class AddOptions(Options):
    """Options of ``models add``."""

    folder: Path
    """Model folder to copy: weights.safetensors and card.json, as train and models import write
    them."""
    name: str | None = None
    """Name of the added model (default: the folder's name)."""


class RemoveOptions(Options):
    """Options of ``models remove``."""

    name: str
    """Name of a model that was added by models add."""
