"""Models of a server, as described by their cards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from gliomask.errors import ModelError
from gliomask.web.labels import MaskLabel, mask_labels

_CARD, _MAX_CARD_BYTES = "card.json", 2**20


class ModelView(BaseModel):
    """A model for jobs."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    name: str
    """Name."""
    description: str
    """Description of its training data."""
    network: str
    """Network architecture."""
    sequences: tuple[str, ...]
    """Sequences that it uses."""
    needs_all: bool
    """Whether it needs all of these sequences."""
    regions: tuple[str, ...]
    """Regions that it segments."""
    labels: tuple[MaskLabel, ...]
    """Labels in its masks."""
    licence: str
    """Licence of its weights."""
    synthetic: bool
    """Whether it was trained on synthetic data."""


class ServedModel(ModelView):
    """A model for jobs, with its folder, which the API does not show."""

    folder: Path


def served_models(folders: tuple[Path, ...]) -> tuple[ServedModel, ...]:
    """Included models as their cards describe them.

    The server reads cards as plain text: the workers check them, with all that this needs.

    Raises:
        ModelError: no card, or none of a model; two models of one name.
    """
    models = tuple(_model(folder) for folder in folders)
    names = [model.name for model in models]
    for name in names:
        if names.count(name) > 1:
            raise ModelError("two models of one name", field="models", found=name)
    return models


def _model(folder: Path) -> ServedModel:
    path = folder / _CARD
    try:
        if path.stat().st_size > _MAX_CARD_BYTES:
            raise ModelError("too large for a model's card", path=path)
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return ServedModel(
            name=card["name"],
            description=card["trained_on"],
            network=card["network"],
            sequences=card["sequences"],
            needs_all=card["input_mode"] == "stacked" and not card["sequence_dropout"],
            regions=card["regions"],
            labels=mask_labels(card["regions"]),
            licence=card["licence"],
            synthetic=card["synthetic"],
            folder=folder.absolute(),
        )
    except OSError as problem:
        raise ModelError(f"not the folder of a model: {problem.strerror}", path=folder) from None
    except (ValueError, KeyError, TypeError):
        raise ModelError("not the card of a model", path=path) from None
