"""The options of ``models``."""

from __future__ import annotations

from gliomask.config.base import Options
from gliomask.config.model import Model


class ModelsOptions(Options):
    """Options of ``models``."""

    models: tuple[Model, ...] = ()
    """Models to describe: names or run folders. Without any, all models, networks and recipes are
    listed."""
