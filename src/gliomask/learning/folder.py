"""A run folder before the training: it is new, or there is something to go on with."""

from __future__ import annotations

from pathlib import Path

import yaml

from gliomask.config import Recipe
from gliomask.core.atomic import MARK, write_text
from gliomask.errors import ConfigError
from gliomask.learning.checkpoint import FOLDER
from gliomask.learning.lock import LOCK

RECIPE_FILE = "config.yaml"


def check_new(run: Path) -> None:
    """Refuses a folder that holds anything.

    Raises:
        ConfigError: it does, or it is no folder.
    """
    if run.exists() and not run.is_dir():
        raise ConfigError("not a folder", path=run)
    held = sorted(entry.name for entry in run.iterdir()) if run.is_dir() else []
    held = [name for name in held if name != LOCK and not name.startswith(MARK)]
    if held:
        hint = "go on with it by --resume, or give another --out"
        hint = hint if FOLDER in held else "give another --out"
        raise ConfigError(f"the folder is not empty: it holds {held[0]}", path=run, hint=hint)


def check_resumable(run: Path) -> None:
    """Refuses a folder that no training was started in.

    Raises:
        ConfigError: there is nothing to go on with.
    """
    if not (run / FOLDER).is_dir() or not (run / RECIPE_FILE).is_file():
        raise ConfigError(
            "there is no training to go on with", path=run, hint="train without --resume"
        )


def write_recipe(run: Path, recipe: Recipe) -> None:
    """Writes the recipe as it is used: all its keys, changes made."""
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)
    write_text(run / RECIPE_FILE, text)
