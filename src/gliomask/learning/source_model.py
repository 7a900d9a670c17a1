"""Model of the initial weights or of the teacher.

Its training patients must not be validation or test patients.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gliomask.errors import ConfigError, same_with
from gliomask.nets.cards import ModelCard
from gliomask.provenance.patients import ModelPatients
from gliomask.provenance.run_record import RunRecord


@dataclass(frozen=True, eq=False)
class EarlierModel:
    """Model folder to start or distil from.

    Attributes:
        source: the folder.
        card: its card.
        patients: patients in its card, None if unknown.
    """

    source: Path
    card: ModelCard
    patients: ModelPatients | None

    @property
    def origin(self) -> dict[str, Any]:
        """Licence and patients, for provenance and card."""
        origin: dict[str, Any] = {"licence": self.card.licence}
        if self.patients is not None:
            origin["train_patients"] = sorted(self.patients.training)
            origin["validation_patients"] = sorted(self.patients.validation)
        return origin


def earlier_model(source: Path, card: ModelCard, option: str, held_out: Set[str]) -> EarlierModel:
    """Load the patients of a model; refuse validation or test patients among them.

    Args:
        source: its folder.
        card: its card.
        option: option with the model, for errors.
        held_out: validation and test patients of the training.

    Raises:
        ConfigError: it was trained on validation or test patients.
    """
    patients = RunRecord(source).patients
    both = sorted(held_out & patients.training) if patients else []
    if both:
        raise ConfigError(
            f"training patients of the model are validation or test patients of this training: "
            f"{len(both)}, first {both[0]}",
            path=source,
            option=option,
            found=source.name,
            hint="use a model of the same fold, or one that was trained on other patients",
        )
    return EarlierModel(source, card, patients)


def check_same(source: Path, what: str, pairs: Sequence[tuple[str, object, object]]) -> None:
    """Refuse a model that does not match the recipe.

    Args:
        source: its folder.
        what: text of the error.
        pairs: key, value of the model and value of the recipe.

    Raises:
        ConfigError: the first difference.
    """
    for field, value, due in pairs:
        if value != due:
            hint = f"change the recipe: {same_with(('changes', f'{field}={value}'))}"
            own = field in ("network", "regions", "input.mode", "input.size")
            raise ConfigError(
                what,
                path=source,
                field=field,
                found=value,
                allowed=str(due),
                hint=hint if own else None,
            )
