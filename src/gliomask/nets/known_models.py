"""Models with a name, networks, and recipes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gliomask.config import load_recipe, recipe_names
from gliomask.config.shipped import find_model, named_folders, remedy, shipped_names
from gliomask.errors import ModelError
from gliomask.nets.cards import CARD_FILE, ModelCard, read_card
from gliomask.nets.entries import count_entries as count
from gliomask.nets.specs import SPECS


@dataclass(frozen=True)
class Network:
    """A network that a recipe can name.

    Attributes:
        name: name of the model.
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
        region: region of the figures.
        mean: over patients.
        ci95: the 95 % interval of the mean.
        patients: their number.
        part: relation of these patients to those of the training, e.g. ``out of fold``.
    """

    region: str
    mean: float
    ci95: tuple[float, float]
    patients: int
    part: str


@dataclass(frozen=True)
class NamedModel:
    """A model that is included in the package, or was added by the user.

    Attributes:
        name: for the command line and the API.
        included: in the package.
        network, size, sequences, licence: see ``ModelCard``.
        dice: from the evaluation in its card; None if there is none.
    """

    name: str
    included: bool
    network: str
    size: int
    sequences: tuple[str, ...]
    dice: KnownDice | None
    licence: str


@dataclass(frozen=True)
class DamagedModel:
    """A model with a name whose card can't be used.

    Attributes:
        name: for the command line and the API.
        reason: what is wrong with its card.
        remedy: the command that removes it, or advice.
    """

    name: str
    reason: str
    remedy: str


def named_models() -> tuple[tuple[NamedModel, ...], tuple[DamagedModel, ...]]:
    """Included models, then models that the user has added; and those of them that are damaged."""
    models: list[NamedModel] = []
    damaged: list[DamagedModel] = []
    included = shipped_names()
    for name, folder in named_folders().items():
        try:
            models.append(_named(name, read_card(folder / CARD_FILE), included=name in included))
        except (ModelError, OSError) as problem:
            damaged.append(DamagedModel(name, str(problem), remedy(name)))
    return tuple(models), tuple(damaged)


def networks() -> tuple[Network, ...]:
    """All networks."""
    return tuple(Network(name, count(spec, 3, 1)) for name, spec in SPECS.items())


def recipes() -> tuple[RecipeLine, ...]:
    """All recipes of the package."""
    loaded = [(name, load_recipe(name)) for name in recipe_names()]
    return tuple(RecipeLine(n, r.network, r.input.size, r.input.mode, r.epochs) for n, r in loaded)


def card_of(model: str | Path) -> ModelCard:
    """The card of a run folder, or of a model that has a name.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    return read_card(find_model(model) / CARD_FILE)


def _named(name: str, card: ModelCard, *, included: bool) -> NamedModel:
    dice, sequences = _known_dice(card), card.sequences
    return NamedModel(name, included, card.network, card.size, sequences, dice, card.licence)


def _known_dice(card: ModelCard) -> KnownDice | None:
    match card.metrics.get("accuracy"):
        case {
            "part": str(part),
            "dice": {"mean": float(mean), "ci95": [float(low), float(high)], "n": int(patients)},
        }:
            return KnownDice(card.regions[0], mean, (low, high), patients, part)
    return None
