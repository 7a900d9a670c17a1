"""Summary of a model for users: known failures first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from gliomask.nets.cards import ModelCard

_FAILURES = "Known failures"


@dataclass(frozen=True)
class SummarySection:
    """A heading and the lines below it.

    Attributes:
        title: the heading.
        lines: sentences.
    """

    title: str
    lines: tuple[str, ...]


def summary(card: ModelCard) -> tuple[SummarySection, ...]:
    """Known failures, purpose, input, accuracy, patients, licence; no section that is empty."""
    purpose, failures = _notes(card.notes)
    sections = (
        SummarySection(_FAILURES.lower(), failures),
        SummarySection("purpose", purpose),
        SummarySection("input", (_input(card),)),
        SummarySection("accuracy", tuple(_accuracy(card))),
        SummarySection("patients", (card.trained_on, *_counts(card))),
        SummarySection("licence", (card.licence,)),
        SummarySection("network", (_network(card),)),
    )
    return tuple(section for section in sections if any(section.lines))


def _notes(notes: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The purpose, and the known failures that a card lists after it."""
    before, _, after = notes.partition(_FAILURES)
    _, _, listed = after.partition(":")
    failures = tuple(part.strip(" .") for part in listed.split(";") if part.strip(" ."))
    return ((before.strip(),) if before.strip() else ()), failures


def _input(card: ModelCard) -> str:
    names = ", ".join(card.sequences)
    if card.input_mode == "each":
        return f"any of {names}, each on its own"
    return f"{names}; " + ("any of them may be missing" if card.sequence_dropout else "all needed")


def _accuracy(card: ModelCard) -> list[str]:
    """Dice of the recorded evaluation, over all and by group, and over subsets of sequences."""
    measured = card.metrics.get("accuracy")
    lines: list[str] = []
    if isinstance(measured, Mapping):
        overall = _dice(measured.get("dice"))
        if overall:
            lines.append(f"Dice of the {card.regions[0]} tumour {overall}, {measured.get('part')}")
        lines += _of_regions(measured.get("dice_of"))
        groups = measured.get("dice_by")
        lines += _by_group(groups) if isinstance(groups, Mapping) else []
    return [*lines, *(_by_sequences(card) if card.validation else [])]


def _of_regions(others: object) -> list[str]:
    each = others.items() if isinstance(others, Mapping) else ()
    return [f"Dice of the {name} tumour {dice}" for name, score in each if (dice := _dice(score))]


def _by_sequences(card: ModelCard) -> list[str]:
    """Dice for each kind of image and each set of sequences that was measured."""
    of_kind: dict[bool | None, list[str]] = {}
    for facts in card.validation.kinds if card.validation else ():
        dice = facts.dice.get(card.regions[0])
        if dice is not None:
            text = f"{' + '.join(facts.sequences)} {dice:.2f}"
            of_kind.setdefault(facts.skull_stripped, []).append(text)
    return [
        f"held-out Dice{_KINDS[kind]} by sequences: {', '.join(subsets)}"
        for kind, subsets in of_kind.items()
    ]


_KINDS = {None: "", False: " on whole heads", True: " on skull-stripped brains"}


def _by_group(traits: Mapping[str, JsonValue]) -> list[str]:
    lines = []
    for trait, groups in traits.items():
        if isinstance(groups, Mapping):
            each = ((name, _dice(dice)) for name, dice in groups.items())
            dices = "; ".join(f"{name}: {dice}" for name, dice in each if dice)
            lines.append(f"by {trait.replace('_', ' ')}: {dices}" if dices else "")
    return list(filter(None, lines))


def _dice(scores: object) -> str:
    match scores:
        case {"n": int(patients), "mean": float(mean), "ci95": [float(low), float(high)]}:
            return f"{mean:.2f} ({low:.2f} to {high:.2f}, {patients} patients)"
    return ""


def _counts(card: ModelCard) -> tuple[str, ...]:
    if not card.patients:
        return ()
    chosen = (
        f", {len(card.validation_patients)} validation patients" if card.validation_patients else ""
    )
    return (f"{len(card.patients)} training patients{chosen}",)


def _network(card: ModelCard) -> str:
    weights = f", weights {card.weights_sha256[:12]}" if card.weights_sha256 else ""
    return f"{card.network} at {card.size} x {card.size} pixels, by {card.created_by}{weights}"
