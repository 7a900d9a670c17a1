"""Facts from the records of a run about its training, in a few words each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from gliomask.core.counted import counted, listed
from gliomask.report.checklists.facts import Fact, software
from gliomask.report.checklists.records import (
    Records,
    count_at,
    flag_at,
    items_at,
    number_at,
    text_at,
    texts_at,
    value_at,
)
from gliomask.report.markdown import one_line

_CARD, _RUN, _RECIPE = "run/card.json", "run/provenance.json", "the run's recipe"
_GROUPS: Final = ("loss", "optimiser")
_EARLIER: Final = ("initial weights from ", "first weights from ")
"""Prefixes in model cards; the second in those of earlier versions."""
_TOP: Final = ("epochs", "batch_size", "ema", "precision", "seed")


def missing_sequences(records: Records) -> str | None:
    """Handling of missing sequences."""
    dropped = flag_at(records.card, "sequence_dropout")
    if dropped is None:
        return None
    chance = number_at(_recipe(records), "input", "dropout")
    if not dropped:
        return "trained without sequence dropout"
    with_chance = "" if chance is None else f" with chance {chance:g}"
    return f"trained with sequence dropout{with_chance}"


def partition(records: Records) -> str | None:
    """Numbers of training and validation patients."""
    groups = _groups(records)
    if groups is None:
        return None
    train, chosen = map(len, groups)
    return f"{counted(train, 'patient')} for training, {chosen} for validation{_where(records)}"


def disjoint(records: Records) -> str | None:
    """Check that no patient is in both groups."""
    groups = _groups(records)
    if groups is None:
        return None
    shared = len(set(groups[0]) & set(groups[1]))
    if not shared:
        return "no patient is both a training and a validation patient"
    return f"{counted(shared, 'patient is', 'patients are')} in both training and validation"


def first_weights(records: Records) -> str | None:
    """Initial weights according to the run or the card; otherwise the seed of random weights."""
    if earlier := _earlier_weights(records):
        return earlier
    recipe = _recipe(records)
    seed = count_at(recipe, "seed")
    if seed is None:
        return None
    keys = [key for key, _ in items_at(recipe) if "weights" in key or "pretrained" in key]
    start = f"recipe options {listed(keys)}" if keys else "the recipe names no earlier weights"
    return f"drawn from seed {seed}; {start}"


def _earlier_weights(records: Records) -> str | None:
    """Earlier weights from the record of the run, or from the training data in the card."""
    for key in ("description", "words"):  # "words" in runs of earlier versions
        if recorded := text_at(records.run, "start", key):
            return recorded
    parts = (text_at(records.card, "trained_on") or "").split("; ")
    return next((part for part in parts if part.startswith(_EARLIER)), None)


def optimisation(records: Records) -> str | None:
    """Length, loss and optimiser, with the keys of the recipe."""
    recipe = _recipe(records)
    parts = [_options({key: value_at(recipe, key) for key in _TOP if key in _keys(recipe)})]
    parts += [_named(group, _options(value_at(recipe, group))) for group in _GROUPS]
    return "; ".join(part for part in parts if part) or None


def augmentation(records: Records) -> str | None:
    """Augmentation, with the keys of the recipe."""
    return _named("augmentation", _options(value_at(_recipe(records), "augment"))) or None


def sampling(records: Records) -> str | None:
    """Sampling of the slices of an epoch, as stated in the recipe."""
    return _named("sampling of slices", _options(value_at(_recipe(records), "sampling"))) or None


def sessions(records: Records) -> str | None:
    """Sessions of the training: their number, their ends and their machines."""
    records_of_sessions = value_at(records.run, "sessions")
    if not isinstance(records_of_sessions, list | tuple) or not records_of_sessions:
        return None
    last = records_of_sessions[-1]
    outcome = text_at(last, "outcome") or "not known"
    count = counted(len(records_of_sessions), "session")
    return f"{count}, the last one: {outcome}{_machine(last)}"


def selection(records: Records) -> str | None:
    """Selected epoch and its score."""
    metrics = value_at(records.card, "metrics")
    epoch, dice, patients = (
        count_at(metrics, "epoch"),
        number_at(metrics, "mean_dice"),
        count_at(metrics, "patients"),
    )
    if epoch is None or dice is None or patients is None:
        return None
    part, grid = text_at(metrics, "part") or "unnamed", text_at(metrics, "grid")
    on = f" on {grid}" if grid else ""
    worth = f"mean Dice {dice:.4g} over {counted(patients, 'patient')} of the {part} part{on}"
    return f"kept: the network of epoch {epoch}, {worth}{_rank(records, epoch)}"


def software_training(records: Records) -> str | None:
    """Versions."""
    versions = software(records.run)
    return versions and f"training: {versions}"


TRAINING_FACTS: Final[Mapping[str, Fact]] = {
    "missing_sequences": Fact(missing_sequences, f"{_CARD}, {_RECIPE}"),
    "partition": Fact(partition, _RUN),
    "disjoint": Fact(disjoint, _RUN),
    "first_weights": Fact(first_weights, _RECIPE),
    "optimisation": Fact(optimisation, _RECIPE),
    "augmentation": Fact(augmentation, _RECIPE),
    "sampling": Fact(sampling, _RECIPE),
    "sessions": Fact(sessions, _RUN),
    "selection": Fact(selection, f"{_CARD}, run/history.csv"),
    "software_training": Fact(software_training, _RUN),
}
"""Every fact of a training by name."""


def _recipe(records: Records) -> object:
    """Recipe from the run's file, or the copy in the card."""
    own = records.recipe
    return own if isinstance(own, Mapping) else value_at(records.card, "recipe")


def _groups(records: Records) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    train = texts_at(records.run, "train_patients")
    chosen = texts_at(records.run, "validation_patients")
    return None if train is None or chosen is None else (train, chosen)


def _where(records: Records) -> str:
    """The fold, or that there is none; a record without the key has neither."""
    fold = count_at(records.run, "data", "fold")
    if fold is not None:
        return f"; fold {fold} left for the test"
    has_fold = "fold" in _keys(value_at(records.run, "data"))
    return "; hold-out split" if has_fold and value_at(records.run, "data", "fold") is None else ""


def _machine(session: object) -> str:
    gpu, processors = text_at(session, "machine", "gpu"), count_at(session, "machine", "processors")
    if gpu:
        return f"; on {gpu}"
    return f"; on {counted(processors, 'processor')}" if processors else ""


def _rank(records: Records, epoch: int) -> str:
    """Check in the history that no epoch was better."""
    rows = records.history if isinstance(records.history, list | tuple) else ()
    worth = {_cell(row, "epoch"): _cell(row, "validation_dice") for row in rows}
    known = [dice for dice in worth.values() if dice is not None]
    if not known or worth.get(float(epoch)) != max(known):
        return ""
    return f", the highest of {counted(len(known), 'epoch')} in the history"


def _cell(row: object, column: str) -> float | None:
    try:
        value = float(text_at(row, column) or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _keys(record: object) -> tuple[str, ...]:
    return tuple(key for key, _ in items_at(record))


def _named(name: str, options: str) -> str:
    return f"{name}: {options}" if options else ""


def _options(record: object) -> str:
    """``key value`` of every plain option; lists and mappings in it are left out."""
    pairs = [(key, _plain(value)) for key, value in items_at(record)]
    return ", ".join(f"{key} {value}" for key, value in pairs[:40] if value)


def _plain(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, str):
        return one_line(value)
    number = number_at({"value": value}, "value")
    return "" if number is None else f"{number:g}"
