"""The card of the network that a training keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from gliomask.config import Recipe
from gliomask.core.case import safe_name
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.slices import VERSION
from gliomask.learning.data import Choice
from gliomask.learning.record import EpochRow
from gliomask.nets.cards import ModelCard
from gliomask.store.manifest import Manifest


def make_card(
    recipe: Recipe, choice: Choice, row: EpochRow, start: Mapping[str, Any] | None = None
) -> ModelCard:
    """Describes the network as it was after an epoch.

    Args:
        recipe: that it was trained by.
        choice: what it was trained on.
        row: the epoch's.
        start: the facts of its first weights (``workflows.start``): ``words`` for people,
            ``licence``, patients; None or empty if they were drawn at random.
    """
    manifest, start = choice.store.manifest, start or {}
    stacked = recipe.input.mode == "stacked"
    return ModelCard(
        name=safe_name(f"{recipe.name}-{manifest.name}").lstrip("_")[:64] or "model",
        network=recipe.network,
        in_channels=len(choice.sequences) if stacked else 1,
        regions=recipe.regions,
        sequences=choice.sequences,
        input_mode=recipe.input.mode,
        sequence_dropout=stacked and recipe.input.dropout > 0,
        size=recipe.input.size,
        threshold=recipe.threshold,
        preprocess={"version": VERSION},
        synthetic=manifest.synthetic,
        trained_on="; ".join(filter(None, (_trained_on(choice), start.get("words")))),
        patients=_all(choice.training.patients, start.get("train_patients")),
        chosen_on=_all(choice.validation_patients, start.get("validation_patients")),
        licence=_licence(manifest, start.get("licence")),
        recipe=recipe.model_dump(mode="json"),
        metrics=_metrics(recipe, choice, row),
        notes=RESEARCH_USE_ONLY,
    )


def _trained_on(choice: Choice) -> str:
    manifest, part = choice.store.manifest, choice.training
    patients = f"{len(part.patients)} patients, {len(part)} slices"
    fold = "" if choice.fold is None else f", all but fold {choice.fold}"
    synthetic = ", synthetic" if manifest.synthetic else ""
    licences = f"; licence of the data: {', '.join(manifest.licences)}" if manifest.licences else ""
    return f"store {manifest.name}{fold}: {patients}{synthetic}{licences}"


def _all(own: Sequence[str], before: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(sorted({*own, *(before or ())}))


def _licence(manifest: Manifest, start: str | None) -> str:
    """What the weights began with binds them too."""
    own = _licence_of_data(manifest)
    return own if start in (None, own) else f"{own}; of the first weights: {start}"


def _licence_of_data(manifest: Manifest) -> str:
    if manifest.licences:
        return f"that of the data: {', '.join(manifest.licences)}"
    if manifest.synthetic:
        return "that of gliomask: Apache-2.0"
    return "not known, because the data name none"


def _metrics(recipe: Recipe, choice: Choice, row: EpochRow) -> dict[str, JsonValue]:
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
