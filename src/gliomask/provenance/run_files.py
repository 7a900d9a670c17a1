"""The names of the files of a run folder; those of its model stand in ``nets``."""

from __future__ import annotations

from typing import Final

PROVENANCE: Final = "provenance.json"
"""How the run was made: command, options, software, patients, sessions."""
RECIPE: Final = "config.yaml"
"""The recipe as it was used."""
HISTORY: Final = "history.csv"
"""A row for each epoch."""
ITERATIONS: Final = "iterations.csv"
"""A row for each batch."""
FIGURES: Final = "figures"
"""The folder of its curves."""
CHECKPOINTS: Final = "checkpoints"
"""The folder that a training is continued from."""
