"""Whom a model has seen: figures from patients that it was trained on say little of others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from gliomask.errors import ModelError
from gliomask.nets.cards import CARD_FILE, read_card
from gliomask.provenance.run_files import PROVENANCE


@dataclass(frozen=True)
class Seen:
    """The patients that a model's own records name.

    Attributes:
        trained: that its weights were fitted to, those of the model that it started from
            and of its teacher too.
        chosen: that its best epoch was chosen on.
        fold: of the store's split that it left for the test; None for the hold-out.
    """

    trained: frozenset[str]
    chosen: frozenset[str]
    fold: int | None

    @property
    def patients(self) -> frozenset[str]:
        """All of them."""
        return self.trained | self.chosen


def read_seen(run: Path) -> Seen | None:
    """What the provenance of a run names, or else its card; None if neither names patients."""
    return _of_provenance(run) or _of_card(run)


def _of_card(run: Path) -> Seen | None:
    """A model that was passed on comes without its provenance; its card tells no fold."""
    try:
        card = read_card(run / CARD_FILE)
    except ModelError:
        return None
    seen = Seen(frozenset(card.patients), frozenset(card.chosen_on), None)
    return seen if seen.patients else None


def _of_provenance(run: Path) -> Seen | None:
    try:
        keys = json.loads((run / PROVENANCE).read_text(encoding="utf-8"))
        trained, chosen = (frozenset(keys[f"{part}_patients"]) for part in ("train", "validation"))
        for before in (keys.get(role, {}) for role in ("start", "teacher")):
            trained |= frozenset(before.get("train_patients", ()))
            chosen |= frozenset(before.get("validation_patients", ()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    fold = keys["data"].get("fold") if isinstance(keys.get("data"), dict) else None
    return Seen(trained, chosen, fold if isinstance(fold, int) else None)


def seen_in_training(
    seen: Seen | None, patients: set[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of the patients to be judged a model was trained on, and what must be said of it.

    Args:
        seen: by the model; None if that is not known.
        patients: that it is judged on.

    Returns:
        the training patients among them, sorted, and the warnings.
    """
    if seen is None:
        return (), ("the model does not tell its training patients: some may be among these",)
    warnings = []
    for held, how in ((seen.trained, "trained"), (seen.chosen, "chosen")):
        if count := len(patients & held):
            text = f"the model was {how} on {count} of the {len(patients)} evaluated patients"
            warnings.append(f"{text}: the figures flatter it")
    return tuple(sorted(patients & seen.trained)), tuple(warnings)
