"""Where a training's first weights come from, when they are not drawn at random.

A model that has learned already learns a new task faster, and a larger input after a smaller one.
What it has seen comes with it: patients that it learned from can't be judged on any more.
"""

from __future__ import annotations

import json
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gliomask.config import Recipe
from gliomask.errors import ConfigError
from gliomask.nets.arrays import WEIGHTS_FILE, read_model
from gliomask.nets.authors import load_authors_weights
from gliomask.nets.cards import ModelCard
from gliomask.nets.first_use import tell_licence
from gliomask.nets.shipped import find_model
from gliomask.nets.u2net import U2Net
from gliomask.workflows.results import PROVENANCE
from gliomask.workflows.seen import Seen, read_seen


@dataclass(frozen=True, eq=False)
class Start:
    """The first weights and their history.

    Attributes:
        network: with the weights.
        facts: where they come from, for the provenance and the card: source, checksum, licence,
            patients, and ``words`` for people.
        notes: what was done to make them fit.
    """

    network: U2Net
    facts: dict[str, Any]
    notes: tuple[str, ...]


def load_start(source: Path, recipe: Recipe, sequences: tuple[str, ...], judged: Set[str]) -> Start:
    """Loads the first weights.

    Args:
        source: a run folder, or the name of a model that comes with gliomask; or a file of
            weights with the names of the authors' code (``.pth``, ``.safetensors``), which tells
            nothing of patients.
        recipe: of the training that begins.
        sequences: that it uses, in their order.
        judged: its validation and test patients.

    Raises:
        ModelError: no such model or file, damage, weights of another network.
        ConfigError: the model is of another network, or has learned from patients to be judged.
    """
    stacked = recipe.input.mode == "stacked"
    channels = len(sequences) if stacked else 1
    source = find_model(str(source))
    card, seen = (None, None) if source.is_file() else _history(source)
    if card is not None:
        _check(source, card, recipe)
    both = sorted(judged & seen.trained) if seen else []
    if both:
        raise ConfigError(
            f"the model has learned from {len(both)} of the patients that this training would be "
            f"judged on, {both[0]} first",
            path=source,
            field="--from",
            found=source.name,
            hint="start from a model of the same fold, or of other patients",
        )
    file = source if card is None else source / WEIGHTS_FILE
    network, report = load_authors_weights(file, recipe.network, channels, len(recipe.regions))
    known = card.sequences if card is not None and stacked else sequences
    order = (f"its sequences were {', '.join(known)}",) if known != sequences else ()
    name = source.name if card is None else card.name
    words = f"first weights from {name} (sha256 {report.sha256[:12]})"
    facts = {"source": str(source), "sha256": report.sha256, "words": words, **_patients(seen)}
    if card is not None:
        tell_licence(source, card)
        facts["licence"] = card.licence
    return Start(
        network,
        facts,
        (*report.lines()[: 1 + len(report.adapted)], *order),
    )


def read_start(run: Path) -> dict[str, Any]:
    """The facts of the weights that a run began with; empty if they were drawn at random, or if
    the run is new."""
    try:
        found = json.loads((run / PROVENANCE).read_text(encoding="utf-8"))["start"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _history(folder: Path) -> tuple[ModelCard, Seen | None]:
    card, _ = read_model(folder)
    return card, read_seen(folder)


def _check(source: Path, card: ModelCard, recipe: Recipe) -> None:
    for field, found, due in (
        ("network", card.network, recipe.network),
        ("input.mode", card.input_mode, recipe.input.mode),
    ):
        if found != due:
            what = "the first weights are of another kind of network"
            raise ConfigError(what, path=source, field=field, found=found, allowed=due)


def _patients(seen: Seen | None) -> dict[str, Any]:
    if seen is None:
        return {}
    return {
        "train_patients": sorted(seen.trained),
        "validation_patients": sorted(seen.chosen),
    }
