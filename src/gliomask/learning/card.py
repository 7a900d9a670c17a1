"""Model card of a trained network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from gliomask.config import Recipe
from gliomask.core.identity import safe_name
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.slices import VERSION
from gliomask.learning.data import TrainingSelection
from gliomask.learning.record import EpochRow
from gliomask.nets.cards import AXIAL, COMBINED, SLICE_SMOOTHING_MM, ModelCard
from gliomask.nets.specs import TORCH_EPSILON
from gliomask.store.manifest import StoreManifest


def make_card(
    recipe: Recipe,
    choice: TrainingSelection,
    row: EpochRow,
    earlier: Sequence[Mapping[str, Any]] = (),
    norm_epsilon: float = TORCH_EPSILON,
) -> ModelCard:
    """Create the card of the network after an epoch.

    Args:
        recipe: recipe of the training.
        choice: its data.
        row: results of the epoch.
        earlier: records of the models of the initial weights and of the teacher: ``description``,
            ``licence``, patients.
        norm_epsilon: epsilon of the batch norms.
    """
    manifest = choice.store.manifest
    stacked = recipe.input.mode == "stacked"
    return ModelCard(
        name=safe_name(f"{recipe.name}-{manifest.name}").lstrip("_")[:64] or "model",
        network=recipe.network,
        in_channels=len(choice.sequences) if stacked else 1,
        norm_epsilon=norm_epsilon,
        regions=recipe.regions,
        sequences=choice.sequences,
        input_mode=recipe.input.mode,
        sequence_dropout=stacked and recipe.input.dropout > 0,
        size=recipe.input.size,
        threshold=recipe.threshold,
        slice_smoothing_mm=SLICE_SMOOTHING_MM,
        planes=COMBINED if len({case.plane for case in choice.training.cases}) > 1 else AXIAL,
        preprocess={"version": VERSION},
        synthetic=manifest.synthetic,
        trained_on="; ".join(
            (_trained_on(choice), *(str(model["description"]) for model in earlier))
        ),
        patients=_all(choice.training.patients, earlier, "train_patients"),
        validation_patients=_all(choice.validation_patients, earlier, "validation_patients"),
        licence=_licence(manifest, earlier),
        recipe=recipe.model_dump(mode="json"),
        metrics=_metrics(recipe, choice, row),
        notes=RESEARCH_USE_ONLY,
    )


def _trained_on(choice: TrainingSelection) -> str:
    manifest, part = choice.store.manifest, choice.training
    patients = f"{len(part.patients)} patients, {len(part)} slices"
    fold = "" if choice.fold is None else f", all but fold {choice.fold}"
    synthetic = ", synthetic" if manifest.synthetic else ""
    licences = f"; licence of the data: {', '.join(manifest.licences)}" if manifest.licences else ""
    return f"store {manifest.name}{fold}: {patients}{synthetic}{licences}"


def _all(own: Sequence[str], earlier: Sequence[Mapping[str, Any]], key: str) -> tuple[str, ...]:
    return tuple(sorted({*own, *(name for model in earlier for name in model.get(key, ()))}))


def _licence(manifest: StoreManifest, earlier: Sequence[Mapping[str, Any]]) -> str:
    """Licence of the weights, restricted by the licences of the initial weights and the teacher."""
    own = _licence_of_data(manifest)
    others = {model["licence"] for model in earlier if "licence" in model} - {own}
    return "; ".join((own, *(f"earlier model: {model}" for model in sorted(others))))


def _licence_of_data(manifest: StoreManifest) -> str:
    if manifest.licences:
        return f"{', '.join(manifest.licences)} (of the data)"
    if manifest.synthetic:
        return "Apache-2.0 (of gliomask)"
    return "unknown (the data sets state none)"


def _metrics(recipe: Recipe, choice: TrainingSelection, row: EpochRow) -> dict[str, JsonValue]:
    if choice.validation is None:
        return {"epoch": row.epoch, "epochs": recipe.epochs, "recipe": recipe.name}
    dice: dict[str, JsonValue] = {
        region: round(value, 6)
        for region, value in zip(recipe.regions, row.dice, strict=True)
        if math.isfinite(value)
    }
    return {
        "part": "validation",
        "grid": f"{recipe.input.size} x {recipe.input.size} pixels, the network's",
        "patients": len(choice.validation.patients),
        "dice": dice,
        "mean_dice": round(row.mean_dice, 6),
        "epoch": row.epoch,
        "epochs": recipe.epochs,
        "recipe": recipe.name,
    }
