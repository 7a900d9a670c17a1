"""``models``: the networks and recipes that there are, and what a trained model says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gliomask.config import load_recipe, recipe_names
from gliomask.errors import ModelError
from gliomask.nets.cards import CARD_FILE, ModelCard, read_card
from gliomask.nets.entries import count_parameters as count
from gliomask.nets.specs import SPECS, find_spec


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


def networks() -> tuple[Network, ...]:
    """All networks."""
    return tuple(Network(name, count(spec, 3, 1)) for name, spec in SPECS.items())


def recipes() -> tuple[RecipeLine, ...]:
    """All recipes of the package."""
    loaded = [(name, load_recipe(name)) for name in recipe_names()]
    return tuple(RecipeLine(n, r.network, r.input.size, r.input.mode, r.epochs) for n, r in loaded)


def card_of(run: Path) -> ModelCard:
    """The card of a run folder.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    return read_card(run / CARD_FILE)


def count_parameters(run: Path) -> int | None:
    """Numbers that the network of a run learns; None if its card can't be read."""
    try:
        card = card_of(run)
    except ModelError:
        return None
    return count(find_spec(card.network), card.in_channels, len(card.regions))
