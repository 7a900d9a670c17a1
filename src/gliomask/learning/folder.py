"""A run folder before the training: it is new, or it can be resumed."""

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
    """Refuses a folder that holds anything.

    Raises:
        InputError: it does, or it is no folder.
    """
    other = f"name another folder by {option('out')}"
    begun = (run / CHECKPOINTS).exists()
    go_on = f"resume it, {same_with(('resume', True))}, or {other}"
    check_empty(run, go_on if begun else other, {LOCK})


def check_resumable(run: Path) -> None:
    """Refuses a folder that no training was started in.

    Raises:
        ConfigError: there is nothing to resume.
    """
    if not (run / CHECKPOINTS).is_dir() or not (run / RECIPE).is_file():
        raise ConfigError(
            "there is no training to resume", path=run, hint=f"leave out {option('resume')}"
        )


def write_recipe(run: Path, recipe: Recipe) -> None:
    """Writes the recipe as it is used: all its keys, changes made."""
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)
    write_text(run / RECIPE, text)
