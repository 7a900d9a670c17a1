"""All options, each defined once: those of recipes (``recipe``) and of each use case (its name).

Parameters of the command line, forms and tables of the documentation are built from the fields of
these models, their types, defaults and docstrings. The names below are loaded on first use, so a
command only imports its own options.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gliomask.config.base import Options, allowed, build
    from gliomask.config.recipe import (
        AugmentOptions,
        InputOptions,
        LossOptions,
        OptimiserOptions,
        Recipe,
        RegionName,
        SamplingOptions,
        load_recipe,
        recipe_names,
    )

_OF_BASE = ("Options", "allowed", "build")

__all__ = [
    "AugmentOptions",
    "InputOptions",
    "LossOptions",
    "OptimiserOptions",
    "Options",
    "Recipe",
    "RegionName",
    "SamplingOptions",
    "allowed",
    "build",
    "load_recipe",
    "recipe_names",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gliomask.config' has no attribute {name!r}")
    home = "base" if name in _OF_BASE else "recipe"
    return getattr(import_module(f"gliomask.config.{home}"), name)
