"""``models``: the models, networks and recipes that there are, and what a model says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gliomask.config import load_recipe, recipe_names
from gliomask.errors import ModelError
from gliomask.nets.cards import CARD_FILE, ModelCard, read_card
from gliomask.nets.entries import count_parameters as count
from gliomask.nets.shipped import find_model, shipped_names
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


@dataclass(frozen=True)
class KnownDice:
    """What a card says of how good its model is.

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


def card_rows(card: ModelCard) -> tuple[tuple[str, str, str], ...]:
    """(part, key, value) of all that a card says, for people; of patients only how many."""
    keys = card.model_dump(mode="json")
    for name in ("patients", "chosen_on"):
        keys[name] = len(keys[name]) or None
    plain = {key: value for key, value in keys.items() if not isinstance(value, dict)}
    parts = {key: value for key, value in keys.items() if isinstance(value, dict)}
    return tuple(
        (part.replace("_", " "), key.replace("_", " "), text)
        for part, values in {"model": plain, **parts}.items()
        for key, text in _leaves(values)
    )


def count_parameters(run: Path) -> int | None:
    """Numbers that the network of a run learns; None if its card can't be read."""
    try:
        card = card_of(run)
    except ModelError:
        return None
    return count(find_spec(card.network), card.in_channels, len(card.regions))


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


def _leaves(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Keys with dots and their values as text; what has no value is left out."""
    for key, value in values.items():
        if isinstance(value, Mapping) and any(isinstance(one, Mapping) for one in value.values()):
            yield from ((f"{key}.{inner}", text) for inner, text in _leaves(value))
        elif text := _words(value):
            yield key, text


def _words(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
        case Mapping():
            told = ((key, _words(one)) for key, one in value.items())
            return ", ".join(f"{key} {text}" for key, text in told if text)
        case Sequence() if not isinstance(value, str):
            separator = "; " if any(isinstance(one, Mapping) for one in value) else ", "
            return separator.join(map(_words, value))
    return str(value)
