"""A model that a training starts from, or distils from.

Its training patients can't be validation or test patients any more.
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
    """A model folder to start or distil from.

    Attributes:
        source: the folder; card: of it.
        patients: that it names, None if it names none.
    """

    source: Path
    card: ModelCard
    patients: ModelPatients | None

    @property
    def facts(self) -> dict[str, Any]:
        """Its licence and its patients, for provenance and card."""
        facts: dict[str, Any] = {"licence": self.card.licence}
        if self.patients is not None:
            facts["train_patients"] = sorted(self.patients.training)
            facts["validation_patients"] = sorted(self.patients.validation)
        return facts


def earlier_model(source: Path, card: ModelCard, option: str, judged: Set[str]) -> EarlierModel:
    """A model folder with its patients, none of them a validation or test patient.

    Args:
        source: its folder; card: of it.
        option: of the command that names it, for the error.
        judged: validation and test patients of the training.

    Raises:
        ConfigError: it was trained on validation or test patients.
    """
    patients = RunRecord(source).patients
    both = sorted(judged & patients.training) if patients else []
    if both:
        raise ConfigError(
            f"the model has learned from {len(both)} of the patients that this training would be "
            f"judged on, {both[0]} first",
            path=source,
            option=option,
            found=source.name,
            hint="use a model of the same fold, or of other patients",
        )
    return EarlierModel(source, card, patients)


def check_same(source: Path, what: str, pairs: Sequence[tuple[str, object, object]]) -> None:
    """Refuses a model that differs from what the recipe needs.

    Args:
        source: its folder.
        what: to say of one that does.
        pairs: name of a key, the model's value and the one that is due.

    Raises:
        ConfigError: the first that differs.
    """
    for field, value, due in pairs:
        if value != due:
            hint = f"change the recipe: {same_with(('changes', f'{field}={value}'))}"
            own = field in ("network", "input.mode", "input.size")
            raise ConfigError(
                what,
                path=source,
                field=field,
                found=value,
                allowed=str(due),
                hint=hint if own else None,
            )
