"""Initial weights of a training from another model.

A model that has learned already learns a new task faster, and a larger input after a smaller one.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gliomask.config import Recipe
from gliomask.config.shipped import find_model
from gliomask.learning.source_model import EarlierModel, check_same, earlier_model
from gliomask.nets.adapt import ChannelMap
from gliomask.nets.arrays import WEIGHTS_FILE, read_model
from gliomask.nets.authors import load_authors_weights
from gliomask.nets.licence_notice import announce_licence
from gliomask.nets.specs import TORCH_EPSILON
from gliomask.nets.u2net import U2Net


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
        judged: the validation and test patients.

    Raises:
        ModelError: no such model or file, damage, weights of another network.
        ConfigError: the model is of another network, or was trained on validation or test patients.
    """
    stacked = recipe.input.mode == "stacked"
    channels = len(sequences) if stacked else 1
    source = find_model(str(source))
    earlier = None if source.is_file() else _earlier(source, recipe, judged)
    file = source if earlier is None else source / WEIGHTS_FILE
    known = earlier.card.sequences if earlier is not None and stacked else sequences
    network, report = load_authors_weights(
        file,
        recipe.network,
        channels,
        len(recipe.regions),
        ChannelMap(known, sequences),
        TORCH_EPSILON if earlier is None else earlier.card.norm_epsilon,
    )
    name = source.name if earlier is None else earlier.card.name
    words = f"first weights from {name} (sha256 {report.sha256[:12]})"
    facts: dict[str, Any] = {"source": str(source), "sha256": report.sha256, "words": words}
    facts["norm_epsilon"] = network.epsilon
    if earlier is not None:
        announce_licence(source, earlier.card)
        facts |= earlier.facts
    return Start(network, facts, tuple(report.lines()[: 1 + len(report.adapted)]))


def _earlier(source: Path, recipe: Recipe, judged: Set[str]) -> EarlierModel:
    card, _ = read_model(source)
    pairs = (
        ("network", card.network, recipe.network),
        ("input.mode", card.input_mode, recipe.input.mode),
    )
    check_same(source, "the first weights are of another kind of network", pairs)
    return earlier_model(source, card, "start", judged)
