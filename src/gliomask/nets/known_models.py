"""The models, networks and recipes that come with gliomask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gliomask.config import load_recipe, recipe_names
from gliomask.config.shipped import find_model, shipped_names
from gliomask.nets.cards import CARD_FILE, ModelCard, read_card
from gliomask.nets.entries import count_entries as count
from gliomask.nets.specs import SPECS


@dataclass(frozen=True)
class Network:
    """A network that a recipe can name.

    Attributes:
        name: of it.
        parameters: for three input channels and one region.
    """

    name: str
    parameters: int


@dataclass(frozen=True)
class RecipeLine:
    """A recipe of the package: its name, network, input and length."""

    name: str
    network: str
    size: int
    mode: str
    epochs: int


@dataclass(frozen=True)
class KnownDice:
    """Accuracy of a model according to its card.

    Attributes:
        region: that it is of.
        mean: over patients.
        ci95: the 95 % interval of the mean.
        patients: their number.
        part: how these patients relate to those of the training, e.g. ``out of fold``.
    """

    region: str
    mean: float
    ci95: tuple[float, float]
    patients: int
    part: str


@dataclass(frozen=True)
class ShippedModel:
    """A model that comes inside the package.

    Attributes:
        name: that it is asked for by.
        network, size, sequences, licence: see ``ModelCard``.
        dice: of the evaluation that its card holds; None if it holds none.
    """

    name: str
    network: str
    size: int
    sequences: tuple[str, ...]
    dice: KnownDice | None
    licence: str


def shipped_models() -> tuple[ShippedModel, ...]:
    """The models that come inside the package.

    Raises:
        ModelError: a card is damaged.
    """
    return tuple(_shipped(name, card_of(name)) for name in shipped_names())


def networks() -> tuple[Network, ...]:
    """All networks."""
    return tuple(Network(name, count(spec, 3, 1)) for name, spec in SPECS.items())


def recipes() -> tuple[RecipeLine, ...]:
    """All recipes of the package."""
    loaded = [(name, load_recipe(name)) for name in recipe_names()]
    return tuple(RecipeLine(n, r.network, r.input.size, r.input.mode, r.epochs) for n, r in loaded)


def card_of(model: str | Path) -> ModelCard:
    """The card of a run folder, or of a model that comes along.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    return read_card(find_model(model) / CARD_FILE)


def _shipped(name: str, card: ModelCard) -> ShippedModel:
    dice = _known_dice(card)
    return ShippedModel(name, card.network, card.size, card.sequences, dice, card.licence)


def _known_dice(card: ModelCard) -> KnownDice | None:
    match card.metrics.get("accuracy"):
        case {
            "part": str(part),
            "dice": {"mean": float(mean), "ci95": [float(low), float(high)], "n": int(patients)},
        }:
            return KnownDice(card.regions[0], mean, (low, high), patients, part)
    return None
