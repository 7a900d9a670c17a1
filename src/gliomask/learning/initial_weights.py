"""Initial weights of a training from another model, for fine-tuning or a larger input size."""

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
from gliomask.nets.specs import TORCH_EPSILON, find_spec
from gliomask.nets.u2net import U2Net
from gliomask.nets.widen import can_widen, widen


@dataclass(frozen=True, eq=False)
class InitialWeights:
    """Initial weights and their origin.

    Attributes:
        network: network with the weights.
        origin: its origin, for the provenance and the card: source, checksum, licence, patients,
            ``description``.
        notes: adaptations of the weights.
    """

    network: U2Net
    origin: dict[str, Any]
    notes: tuple[str, ...]


def load_initial_weights(
    source: Path, recipe: Recipe, sequences: tuple[str, ...], held_out: Set[str]
) -> InitialWeights:
    """Load the initial weights.

    Args:
        source: a run folder, or the name of an included or added model; or a file of weights
            with the names of the authors' code (``.pth``, ``.safetensors``), whose patients are
            unknown.
        recipe: recipe of the training.
        sequences: its sequences in order.
        held_out: its validation and test patients.

    Raises:
        ModelError: the model or file does not exist, is damaged, or has another network.
        ConfigError: the model is of another network or has several regions other than those of the
            recipe, or was trained on validation or test patients.

    A model of a narrower network is widened to that of the recipe, with the same output.
    """
    stacked = recipe.input.mode == "stacked"
    channels = len(sequences) if stacked else 1
    source = find_model(str(source), "start")
    earlier = None if source.is_file() else _earlier(source, recipe, held_out)
    file = source if earlier is None else source / WEIGHTS_FILE
    known = earlier.card.sequences if earlier is not None and stacked else sequences
    network, report = load_authors_weights(
        file,
        recipe.network if earlier is None else earlier.card.network,
        channels,
        len(recipe.regions),
        ChannelMap(known, sequences),
        TORCH_EPSILON if earlier is None else earlier.card.norm_epsilon,
    )
    notes = report.lines()[: 1 + len(report.adapted)]
    if network.spec.name != recipe.network:
        notes.append(f"{network.spec.name} widened to {recipe.network}, with the same output")
        network = widen(network, recipe.network)
    name = source.name if earlier is None else earlier.card.name
    description = f"initial weights from {name} (sha256 {report.sha256[:12]})"
    origin: dict[str, Any] = {
        "source": str(source),
        "sha256": report.sha256,
        "description": description,
    }
    origin["norm_epsilon"] = network.epsilon
    if earlier is not None:
        announce_licence(source, earlier.card)
        origin |= earlier.origin
    return InitialWeights(network, origin, tuple(notes))


def _earlier(source: Path, recipe: Recipe, held_out: Set[str]) -> EarlierModel:
    card, _ = read_model(source)
    pairs: list[tuple[str, object, object]] = [("input.mode", card.input_mode, recipe.input.mode)]
    if not can_widen(find_spec(card.network), find_spec(recipe.network)):
        pairs.insert(0, ("network", card.network, recipe.network))
    if len(card.regions) > 1:  # A single output can become several, not the other way round.
        pairs.append(("regions", _listed(card.regions), _listed(recipe.regions)))
    check_same(source, "the initial weights are of another network", pairs)
    return earlier_model(source, card, "start", held_out)


def _listed(regions: tuple[str, ...]) -> str:
    """The regions as a value of ``--set``."""
    return f"[{','.join(regions)}]"
