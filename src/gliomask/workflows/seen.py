"""Whom a model has seen: figures from patients that it was trained on say little of others."""

from __future__ import annotations

import json
from pathlib import Path

from gliomask.workflows.results import PROVENANCE


def seen_in_training(run: Path, patients: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of the patients to be judged a model was trained on, and what must be said of it.

    Args:
        run: the model's folder, whose provenance names its patients.
        patients: that it is judged on.

    Returns:
        the training patients among them, sorted, and the warnings.
    """
    known = _patients_of(run)
    if known is None:
        return (), ("the model does not tell its training patients: some may be among these",)
    trained, chosen = (tuple(sorted(patients & held)) for held in known)
    warnings = []
    for held, how in ((trained, "the model was trained on"), (chosen, "the model was chosen on")):
        if held:
            text = f"{how} {len(held)} of the {len(patients)} evaluated patients"
            warnings.append(f"{text}: the figures flatter it")
    return trained, tuple(warnings)


def _patients_of(run: Path) -> tuple[set[str], set[str]] | None:
    """Train and validation patients that the run's provenance names; None if it names none."""
    try:
        keys = json.loads((run / PROVENANCE).read_text(encoding="utf-8"))
        return set(keys["train_patients"]), set(keys["validation_patients"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
