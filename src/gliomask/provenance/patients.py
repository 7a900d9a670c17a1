"""Training and validation patients of a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelPatients:
    """The patients that a model's own records name.

    Attributes:
        training: training patients, including those of the initial weights and of the teacher.
        validation: validation patients, on which its epoch was selected.
        fold: its held-out fold of the store's split; None for the hold-out split.
    """

    training: frozenset[str]
    validation: frozenset[str]
    fold: int | None

    @property
    def all(self) -> frozenset[str]:
        """Training and validation patients."""
        return self.training | self.validation


def training_overlap(
    model: ModelPatients | None, patients: set[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Training patients of a model among the evaluated patients, and warnings.

    Args:
        model: its patients; None if they are not known.
        patients: patients of the evaluation.

    Returns:
        the training patients among them, sorted, and the warnings.
    """
    if model is None:
        return (), ("the training patients of the model are unknown: these may be among them",)
    warnings = []
    for part, role in ((model.training, "trained"), (model.validation, "selected")):
        if count := len(patients & part):
            text = f"the model was {role} on {count} of the {len(patients)} evaluated patients"
            warnings.append(f"{text}: the results are optimistic")
    return tuple(sorted(patients & model.training)), tuple(warnings)
