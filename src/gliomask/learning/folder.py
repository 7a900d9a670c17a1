"""Checks of a run folder before the training."""

from __future__ import annotations

from pathlib import Path

import yaml

from gliomask.config import Recipe
from gliomask.core.atomic import write_text
from gliomask.core.output_folder import check_empty
from gliomask.errors import ConfigError, option, same_with
from gliomask.learning.lock import LOCK
from gliomask.provenance.run_files import CHECKPOINTS, RECIPE


def check_new(run: Path) -> None:
    """Refuse a folder that is not empty.

    Raises:
        InputError: it is not empty, or not a folder.
    """
    other = f"use another folder: {option('out')}"
    begun = (run / CHECKPOINTS).exists()
    go_on = f"resume it, {same_with(('resume', True))}, or {other}"
    check_empty(run, go_on if begun else other, {LOCK})


def check_resumable(run: Path) -> None:
    """Refuse a folder without a started training.

    Raises:
        ConfigError: there is nothing to resume.
    """
    if not (run / CHECKPOINTS).is_dir() or not (run / RECIPE).is_file():
        raise ConfigError(
            "there is no training to resume", path=run, hint=f"leave out {option('resume')}"
        )


def write_recipe(run: Path, recipe: Recipe) -> None:
    """Write the recipe with all its keys, including changes."""
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)
    write_text(run / RECIPE, text)
